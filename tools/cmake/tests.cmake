# Every tests/native/*.c is one test of the same name, with its own main(). Natively each is a program. Emscripten takes seconds for
# each link, so there they are one program, which is told the test's name and runs its main() alone, in HD_NODE.
enable_testing()
file(GLOB tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/native/*.c)
set(names)
foreach(test IN LISTS tests)
  get_filename_component(name ${test} NAME_WE)
  list(APPEND names ${name})
endforeach()

if(EMSCRIPTEN)
  # The checkout says "type": "module"; this program is a plain script.
  file(WRITE ${PROJECT_BINARY_DIR}/package.json "{\"type\": \"commonjs\"}\n")
  list(TRANSFORM names REPLACE "(.+)" "TEST(\\1)" OUTPUT_VARIABLE list)
  list(JOIN list "\n" list)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/tests.inc CONTENT "${list}\n" @ONLY)
  add_executable(tests ${PROJECT_SOURCE_DIR}/tools/cmake/tests.c ${tests})
  target_include_directories(tests PRIVATE ${PROJECT_BINARY_DIR})
  target_link_libraries(tests PRIVATE heddle)
  # -O1 at the link only: the objects are optimised already, and this keeps wasm-opt short.
  target_link_options(tests PRIVATE -O1 -sALLOW_MEMORY_GROWTH -sABORTING_MALLOC=0 -sMAXIMUM_MEMORY=4GB
    -sINITIAL_MEMORY=64MB -sSTACK_SIZE=1MB -sENVIRONMENT=node$<$<BOOL:${HD_THREADS}>:,worker> -sEXIT_RUNTIME -Wno-pthreads-mem-growth)
endif()
foreach(test name IN ZIP_LISTS tests names)
  if(EMSCRIPTEN)
    set_source_files_properties(${test} PROPERTIES COMPILE_DEFINITIONS main=${name} COMPILE_OPTIONS -Wno-missing-prototypes)
    add_test(NAME ${name} COMMAND ${HD_NODE} $<TARGET_FILE:tests> ${name})
  else()
    add_executable(test_${name} ${test})
    target_link_libraries(test_${name} PRIVATE heddle m) # the tests' own float64 references; src/ needs no libm
    add_test(NAME ${name} COMMAND test_${name})
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endforeach()
