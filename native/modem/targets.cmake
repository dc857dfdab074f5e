# The tables of the standard, from the facts beside them.
find_program(NATIVE_NODE node HINTS ${CMAKE_CURRENT_SOURCE_DIR}/../node_modules/.bin REQUIRED)
file(GLOB MODEM_FACTS CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/modem/fact/*.json)
set(MODEM_TABLES ${CMAKE_CURRENT_BINARY_DIR}/modem_tables.cpp)
add_custom_command(
    OUTPUT ${MODEM_TABLES}
    COMMAND ${NATIVE_NODE} ${CMAKE_CURRENT_SOURCE_DIR}/modem/generate-tables/main.ts ${MODEM_TABLES}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/modem/generate-tables/main.ts ${MODEM_FACTS}
    VERBATIM)

add_native_core(modem_core
    modem/receive/bch_decoder.cpp
    modem/receive/carrier.cpp
    modem/receive/demapper.cpp
    modem/receive/descrambling.cpp
    modem/receive/frame_decoder.cpp
    modem/receive/ldpc_decoder.cpp
    modem/receive/matched_filter.cpp
    modem/receive/pl_signalling.cpp
    modem/receive/receiver.cpp
    modem/src/bb_scrambler.cpp
    modem/src/bch_encoder.cpp
    modem/src/choose_kernels.cpp
    modem/src/file_sink.cpp
    modem/src/frame_modulator.cpp
    modem/src/frame_queue.cpp
    modem/src/ldpc_encoder.cpp
    modem/src/modulator.cpp
    modem/src/pl_header.cpp
    modem/src/pl_scrambler.cpp
    modem/src/pulse_shaper.cpp
    modem/src/sample_format.cpp
    modem/src/soapy_library.cpp
    modem/src/soapy_sink.cpp
    modem/src/symbol_mapper.cpp
    modem/src/transmit_chain.cpp
    modem/src/udp_sink.cpp
    modem/src/vl_snr.cpp
    ${MODEM_TABLES})
target_link_libraries(modem_core PUBLIC link_core packet_core)
# SoapySDR's headers alone: the library is looked for when a transmitter is opened.
pkg_check_modules(SOAPYSDR REQUIRED SoapySDR)
target_include_directories(modem_core SYSTEM PRIVATE ${SOAPYSDR_INCLUDE_DIRS})
target_link_libraries(modem_core PRIVATE ${CMAKE_DL_LIBS})

# The inner loops, once for each kind of processor: those of x86-64 before AVX2 (and any other architecture), and two more.
function(add_modem_kernels name)
    add_library(modem_kernels_${name} OBJECT modem/src/kernels.cpp)
    target_include_directories(modem_kernels_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_compile_definitions(modem_kernels_${name} PRIVATE MODEM_KERNELS=${name})
    target_compile_options(modem_kernels_${name} PRIVATE -O3 ${ARGN})
    target_link_libraries(modem_kernels_${name} PRIVATE native_flags)
    target_sources(modem_core PRIVATE $<TARGET_OBJECTS:modem_kernels_${name}>)
endfunction()
add_modem_kernels(baseline)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    add_modem_kernels(avx2 -march=x86-64-v3)
    add_modem_kernels(avx512 -march=x86-64-v4)
    target_compile_definitions(modem_core PRIVATE MODEM_X86_LEVELS)
endif()

add_native_test(modem_frame_test modem/test/frame_test.cpp)
if(BUILD_TESTING)
    target_link_libraries(modem_frame_test PRIVATE modem_core OpenSSL::Crypto)
    target_compile_definitions(modem_frame_test
        PRIVATE STAGE_HASHES="${CMAKE_CURRENT_SOURCE_DIR}/modem/test/stage_hashes.txt")
endif()

add_native_test(modem_receive_test modem/test/receive_test.cpp)
if(BUILD_TESTING)
    target_link_libraries(modem_receive_test PRIVATE modem_core)
endif()

add_native_test(modem_pulse_test modem/test/pulse_test.cpp)
if(BUILD_TESTING)
    target_link_libraries(modem_pulse_test PRIVATE modem_core)
endif()

# A driver of the test's own stands for a transmitter.
add_native_test(modem_soapy_test modem/test/soapy_test.cpp)
if(BUILD_TESTING)
    pkg_check_modules(SOAPYSDR_LINKED REQUIRED IMPORTED_TARGET SoapySDR)
    add_library(modem_soapy_recorder MODULE modem/test/soapy_recorder.cpp)
    set_target_properties(modem_soapy_recorder PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/soapy)
    target_link_libraries(modem_soapy_recorder PRIVATE native_flags PkgConfig::SOAPYSDR_LINKED)
    target_link_libraries(modem_soapy_test PRIVATE modem_core)
    add_dependencies(modem_soapy_test modem_soapy_recorder)
    target_compile_definitions(modem_soapy_test PRIVATE RECORDER_DIRECTORY="${CMAKE_BINARY_DIR}/soapy")
endif()

# Samples that a stranger recorded.
add_native_fuzz(modem_receive_fuzz ${CMAKE_CURRENT_SOURCE_DIR}/modem/fuzz/corpus modem/fuzz/receive_fuzz.cpp)
target_link_libraries(modem_receive_fuzz PRIVATE modem_core)

# Measured by test/bench/modem.bench.ts.
add_executable(modem_bench modem/bench/modem_bench.cpp)
target_link_libraries(modem_bench PRIVATE modem_core)

add_node_addon(modem modem/src/addon.cpp modem/src/modulator_binding.cpp
    modem/src/receiver_binding.cpp)
if(TARGET modem_addon)
    target_link_libraries(modem_addon PRIVATE modem_core)
endif()
