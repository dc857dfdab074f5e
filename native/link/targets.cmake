add_native_core(link_core
    link/src/bb_frame.cpp
    link/src/crc.cpp
    link/src/damage.cpp
    link/src/found_programs.cpp
    link/src/frame_reader.cpp
    link/src/gse_reader.cpp
    link/src/gse_writer.cpp
    link/src/ip_datagram.cpp
    link/src/link_decoder.cpp
    link/src/link_encoder.cpp
    link/src/packetizer.cpp
    link/src/payload_unit.cpp
    link/src/program_tables.cpp
    link/src/pseudo_transport.cpp
    link/src/section_reader.cpp
    link/src/sndu_reader.cpp
    link/src/stream_sync.cpp
    link/src/transport_demux.cpp
    link/src/transport_multiplex.cpp
    link/src/user_packet_reader.cpp)
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
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    add_library(link_wide_products OBJECT link/src/crc32_wide.cpp)
    target_include_directories(link_wide_products PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(link_wide_products PRIVATE native_flags)
    target_compile_options(link_wide_products PRIVATE -mavx2 -mpclmul -mvpclmulqdq)
    target_sources(link_core PRIVATE $<TARGET_OBJECTS:link_wide_products>)
    target_compile_definitions(link_core PRIVATE LINK_WIDE_PRODUCTS)
endif()

foreach(part bb_frame loop damage frame_damage)
    add_native_test(link_${part}_test link/test/${part}_test.cpp)
    if(BUILD_TESTING)
        target_link_libraries(link_${part}_test PRIVATE link_core)
    endif()
endforeach()

# Our tables against the library that scans transponders.
find_library(DVBV5_LIBRARY dvbv5 REQUIRED)
find_path(DVBV5_INCLUDE libdvbv5/dvb-dev.h REQUIRED)
add_native_test(link_libdvbv5_test link/test/libdvbv5_test.cpp)
if(BUILD_TESTING)
    target_link_libraries(link_libdvbv5_test PRIVATE link_core ${DVBV5_LIBRARY})
    target_include_directories(link_libdvbv5_test SYSTEM PRIVATE ${DVBV5_INCLUDE})
endif()

# With sockets and threads.
add_native_core(link_thread
    link/src/datagram_emitter.cpp
    link/src/decapsulator_thread.cpp
    link/src/encapsulator_thread.cpp
    link/src/link_output.cpp)
target_link_libraries(link_thread PUBLIC link_core packet_core)

add_node_addon(link
    link/src/addon.cpp
    link/src/binding_coder.cpp
    link/src/binding_decapsulator.cpp
    link/src/binding_encapsulator.cpp
    link/src/read_options.cpp
    link/src/results_to_js.cpp)
if(TARGET link_addon)
    target_link_libraries(link_addon PRIVATE link_thread)
endif()

foreach(input stream datagram section sndu gse)
    add_native_fuzz(link_${input}_fuzz ${CMAKE_CURRENT_SOURCE_DIR}/link/fuzz/corpus/${input}
        link/fuzz/${input}_fuzz.cpp)
    target_link_libraries(link_${input}_fuzz PRIVATE link_core)
endforeach()

# Measured against a bare copy by test/bench/link.bench.ts.
add_executable(link_bench link/bench/link_bench.cpp)
target_link_libraries(link_bench PRIVATE link_core)
