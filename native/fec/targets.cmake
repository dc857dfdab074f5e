add_native_core(fec_core fec/src/reed_solomon.cpp)
target_link_libraries(fec_core PUBLIC PkgConfig::ISAL)

add_native_test(fec_reed_solomon_test fec/test/reed_solomon_test.cpp)
if(BUILD_TESTING)
    target_link_libraries(fec_reed_solomon_test PRIVATE fec_core)
endif()
