# Everything the receiver does without Node; the sender shares its partition.
add_native_core(flute_core
    flute/src/assembly.cpp
    flute/src/base64.cpp
    flute/src/byte_ranges.cpp
    flute/src/event_queue.cpp
    flute/src/fdt_document.cpp
    flute/src/fdt_reception.cpp
    flute/src/hash_job.cpp
    flute/src/inflate_body.cpp
    flute/src/lct_packet.cpp
    flute/src/object_views.cpp
    flute/src/received_object.cpp
    flute/src/received_object_end.cpp
    flute/src/receiver_core.cpp
    flute/src/receiver_thread.cpp
    flute/src/session.cpp
    flute/src/symbol_map.cpp
    flute/src/symbol_store.cpp
    flute/src/toi.cpp
    flute/src/transmission_information.cpp
    flute/src/unknown_packets.cpp
    flute/src/verifier.cpp)
target_link_libraries(flute_core PUBLIC packet_core fec_core OpenSSL::Crypto EXPAT::EXPAT ZLIB::ZLIB)

include(flute/send.cmake)

add_node_addon(flute
    flute/src/addon.cpp
    flute/src/binding_receiver.cpp
    flute/src/binding_sender.cpp
    flute/src/receive_event_to_js.cpp)
if(TARGET flute_addon)
    target_link_libraries(flute_addon PRIVATE flute_core flute_send_core)
endif()

if(BUILD_TESTING)
    foreach(part lct_packet fdt_document assembly receiver_core)
        add_native_test(flute_${part}_test flute/test/${part}_test.cpp)
        target_link_libraries(flute_${part}_test PRIVATE flute_core)
    endforeach()
    target_compile_definitions(flute_receiver_core_test PRIVATE
        FLUTE_VECTORS="${CMAKE_CURRENT_SOURCE_DIR}/../test/vectors")
endif()

foreach(input datagram fdt cenc)
    add_native_fuzz(flute_${input}_fuzz ${CMAKE_CURRENT_SOURCE_DIR}/flute/fuzz/corpus/${input}
        flute/fuzz/${input}_fuzz.cpp)
    target_link_libraries(flute_${input}_fuzz PRIVATE flute_core)
endforeach()

# Measured against a bare drain by test/bench/receive.bench.ts.
add_executable(flute_receive_bench flute/bench/receive_bench.cpp flute/bench/packet_blaster.cpp)
target_link_libraries(flute_receive_bench PRIVATE flute_core)
