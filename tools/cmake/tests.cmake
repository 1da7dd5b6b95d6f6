# Every tests/native/*.c is one program and one test of the same name. Under Emscripten it runs in HD_NODE.
enable_testing()
file(GLOB programs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/native/*.c)
if(EMSCRIPTEN)
  # The checkout says "type": "module"; these programs are plain scripts.
  file(WRITE ${PROJECT_BINARY_DIR}/package.json "{\"type\": \"commonjs\"}\n")
endif()
foreach(program IN LISTS programs)
  get_filename_component(name ${program} NAME_WE)
  add_executable(test_${name} ${program})
  target_link_libraries(test_${name} PRIVATE heddle)
  if(EMSCRIPTEN)
    # -O1 at the link only: the objects are optimised already, and this keeps wasm-opt short.
    target_link_options(test_${name} PRIVATE -O1 -sALLOW_MEMORY_GROWTH -sABORTING_MALLOC=0 -sMAXIMUM_MEMORY=4GB
      -sSTACK_SIZE=1MB -sENVIRONMENT=node$<$<BOOL:${HD_THREADS}>:,worker> -sEXIT_RUNTIME -Wno-pthreads-mem-growth)
    add_test(NAME ${name} COMMAND ${HD_NODE} $<TARGET_FILE:test_${name}>)
  else()
    target_link_libraries(test_${name} PRIVATE m) # the tests' own float64 references; src/ needs no libm
    add_test(NAME ${name} COMMAND test_${name})
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endforeach()
