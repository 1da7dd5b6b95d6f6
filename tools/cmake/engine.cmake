# heddle-<name>.mjs + .wasm in bindings/engines: what the JavaScript API loads. One call per binary directory.

# Every function that src/heddle.h declares with HD_API is exported to JavaScript.
set(header ${PROJECT_SOURCE_DIR}/src/heddle.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
file(READ ${header} text)
string(REGEX REPLACE "/\\*[^*]*\\*+([^/*][^*]*\\*+)*/" "" text "${text}")
string(REGEX MATCHALL "HD_API[^;()]*[ *\n]hd_[a-z0-9_]+\\(" declarations "${text}")
list(TRANSFORM declarations REPLACE ".*[ *\n](hd_[a-z0-9_]+)\\($" "_\\1")
list(JOIN declarations "\n" exports)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/exports.txt CONTENT "${exports}\n" @ONLY)

function(add_engine name)
  add_executable(engine ${PROJECT_SOURCE_DIR}/tools/cmake/engine.c)
  target_link_libraries(engine PRIVATE heddle)
  set_target_properties(engine PROPERTIES OUTPUT_NAME heddle-${name} SUFFIX .mjs
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_SOURCE_DIR}/bindings/engines
    LINK_DEPENDS "${PROJECT_BINARY_DIR}/exports.txt;${PROJECT_SOURCE_DIR}/tools/cmake/host.js;${PROJECT_SOURCE_DIR}/tools/cmake/glue.cmake;${PROJECT_SOURCE_DIR}/tools/cmake/engine.d.mts")
  target_link_options(engine PRIVATE -O3 --no-entry
    -sMODULARIZE -sEXPORT_ES6 -sENVIRONMENT=web,worker,node -sFILESYSTEM=0 -sDYNAMIC_EXECUTION=0
    -sALLOW_MEMORY_GROWTH -sMAXIMUM_MEMORY=4GB -sABORTING_MALLOC=0 -sSTACK_SIZE=256KB -sSUPPORT_LONGJMP=0
    -sEXPORTED_FUNCTIONS=@${PROJECT_BINARY_DIR}/exports.txt -sEXPORTED_RUNTIME_METHODS=wasmMemory$<$<BOOL:${HD_THREADS}>:,PThread>
    -sINCOMING_MODULE_JS_API=locateFile,wasmBinary,instantiateWasm,onAbort,print,printErr)
  add_custom_command(TARGET engine POST_BUILD VERBATIM
    COMMAND ${CMAKE_COMMAND} -DGLUE=$<TARGET_FILE:engine> -P ${PROJECT_SOURCE_DIR}/tools/cmake/glue.cmake
    # The type checker reads this instead of the glue.
    COMMAND ${CMAKE_COMMAND} -E copy ${PROJECT_SOURCE_DIR}/tools/cmake/engine.d.mts
      ${PROJECT_SOURCE_DIR}/bindings/engines/heddle-${name}.d.mts)
  if(HD_THREADS)
    # Workers that wait, loaded, before the engine's promise resolves: the option hdThreads (none without it). A page
    # must ask for as many as its threads, for a worker can't start while its maker waits for it; STRICT=2 makes
    # pthread_create fail beyond that. Node needs none: there they start at any time. Without cross-origin
    # isolation a pool would never load, hence 0.
    target_link_options(engine PRIVATE -Wno-pthreads-mem-growth -sDEFAULT_PTHREAD_STACK_SIZE=256KB
      -sPTHREAD_POOL_SIZE_STRICT=2
      "-sPTHREAD_POOL_SIZE=(globalThis.crossOriginIsolated===false?0:Module.hdThreads)")
  endif()
endfunction()

set(name st)
if(HD_THREADS)
  set(name mt)
endif()
if(HD_RELAXED)
  string(APPEND name -relaxed)
endif()
add_engine(${name})
