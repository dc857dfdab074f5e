add_native_core(fec_core fec/src/reed_solomon.cpp)
target_link_libraries(fec_core PUBLIC PkgConfig::ISAL)

add_native_test(fec_reed_solomon_test fec/test/reed_solomon_test.cpp)
if(BUILD_TESTING)
    target_link_libraries(fec_reed_solomon_test PRIVATE fec_core)
endif()

add_native_fuzz(fec_reed_solomon_fuzz ${CMAKE_CURRENT_SOURCE_DIR}/fec/fuzz/corpus/reed-solomon
    fec/fuzz/reed_solomon_fuzz.cpp)
target_link_libraries(fec_reed_solomon_fuzz PRIVATE fec_core)

# Measured against bare ec_encode_data by test/bench/fec.bench.ts.
add_executable(fec_bench fec/bench/fec_bench.cpp)
target_link_libraries(fec_bench PRIVATE fec_core)
