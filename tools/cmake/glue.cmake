# cmake -DGLUE=FILE -P glue.cmake: makes the Node-only imports of Emscripten's glue invisible to bundlers, which would look
# for packages "module" and "worker_threads" in a build for the browser and fail. Run after each link of an engine.
file(READ ${GLUE} text)
set(import "import\\(([\"'](module|worker_threads)[\"'])\\)")
if(NOT text MATCHES "${import}")
  message(FATAL_ERROR "${GLUE}: no Node-only import to hide; has Emscripten changed its glue?")
endif()
string(REGEX REPLACE "${import}" "import(/* webpackIgnore: true */ /* @vite-ignore */ [\\1][0])" text "${text}")
if(text MATCHES "import\\([\"'][^\"']*[\"']\\)")
  message(FATAL_ERROR "${GLUE}: ${CMAKE_MATCH_0} is not known to this script: does a browser need it?")
endif()
file(WRITE ${GLUE} "${text}")
