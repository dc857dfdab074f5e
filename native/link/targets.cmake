add_native_core(link_core link/src/bb_frame.cpp link/src/crc.cpp)
target_link_libraries(link_core PUBLIC PkgConfig::ISAL)

# Of processors with carry-less products; crc.cpp asks before it calls.
add_library(link_products OBJECT link/src/crc8_products.cpp)
target_include_directories(link_products PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(link_products PRIVATE native_flags)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    target_compile_options(link_products PRIVATE -mpclmul)
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
    target_compile_options(link_products PRIVATE -march=armv8-a+crypto)
endif()
target_sources(link_core PRIVATE $<TARGET_OBJECTS:link_products>)

add_native_test(link_bb_frame_test link/test/bb_frame_test.cpp)
if(BUILD_TESTING)
    target_link_libraries(link_bb_frame_test PRIVATE link_core)
endif()
