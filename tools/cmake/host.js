// What src/base/pool.c asks of JavaScript: a library of Emscripten's, which reads the braces.
addToLibrary({
  hd_host_beat: () => Module['hdBeat']?.(),

  // In a thread of the pool. The trap ends here: thrown on, it would be an error of nobody's in the page or process.
  hd_host_guard: (run, lost, arg) => {
    try {
      {{{ makeDynCall('pp', 'run') }}}(arg);
    } catch (error) {
      if (error === 'unwind') throw error; // Emscripten's own way to leave a thread
      {{{ makeDynCall('vp', 'lost') }}}(arg);
    }
  },

  hd_host_crash: () => {
    throw new Error('one of its threads has crashed');
  },
});
