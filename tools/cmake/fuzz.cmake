# Every tests/fuzz/*.c is one libFuzzer program; its corpus lies beside it (see tools/fuzz.mjs).
file(GLOB fuzzers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/*.c)
foreach(fuzzer IN LISTS fuzzers)
  get_filename_component(name ${fuzzer} NAME_WE)
  add_executable(fuzz_${name} ${fuzzer})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE heddle m)
endforeach()
