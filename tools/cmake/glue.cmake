# cmake -DGLUE=FILE -P glue.cmake: Emscripten's glue as bundlers can read it. Run after each link of an engine.
# Node-only imports get invisible: bundlers would look for packages "module" and "worker_threads" in a build for the browser and fail.
file(READ ${GLUE} text)
set(import "import\\(([\"'](module|worker_threads)[\"'])\\)")
if(NOT text MATCHES "${import}")
  message(FATAL_ERROR "${GLUE}: no Node-only import to hide; has Emscripten changed its glue?")
endif()
string(REGEX REPLACE "${import}" "import(/* webpackIgnore: true */ /* @vite-ignore */ [\\1][0])" text "${text}")
if(text MATCHES "import\\([\"'][^\"']*[\"']\\)")
  message(FATAL_ERROR "${GLUE}: ${CMAKE_MATCH_0} is not known to this script: does a browser need it?")
endif()
# The options of the threads' workers stand in the call: Vite reads them there and nowhere else.
string(REGEX REPLACE "var workerOptions=({[^}]*});(worker=new Worker\\(new URL\\([^()]*\\),)workerOptions\\)" "\\2\\1)" text "${text}")
if(text MATCHES "new Worker\\(new URL" AND NOT text MATCHES "new Worker\\(new URL\\([^()]*\\),{")
  message(FATAL_ERROR "${GLUE}: the options of a worker are not where they are created; has Emscripten changed its glue?")
endif()
file(WRITE ${GLUE} "${text}")
