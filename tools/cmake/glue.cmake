# cmake -DGLUE=FILE -P glue.cmake: makes the one Node-only import of Emscripten's glue invisible to bundlers, which would
# look for a package "module" in a build for the browser and fail. Run after each link of an engine.
file(READ ${GLUE} text)
string(FIND "${text}" "await import(\"module\")" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${GLUE}: no import(\"module\") to hide; has Emscripten changed its glue?")
endif()
string(REPLACE "await import(\"module\")" "await import(/* webpackIgnore: true */ /* @vite-ignore */ [\"module\"][0])" text "${text}")
file(WRITE ${GLUE} "${text}")
