# Not by pkg-config: Debian's file for it asks for libudev's headers, which nobody needs and the package does not bring.
find_library(DVBV5_LIBRARY dvbv5 REQUIRED)
find_path(DVBV5_INCLUDE libdvbv5/dvb-dev.h REQUIRED)

add_native_core(dvb_core
    dvb/src/antenna.cpp
    dvb/src/demux.cpp
    dvb/src/dvb_error.cpp
    dvb/src/frontend.cpp
    dvb/src/kernel_frontend.cpp
    dvb/src/read_thread.cpp
    dvb/src/statistics.cpp
    dvb/src/tuning.cpp)
target_include_directories(dvb_core SYSTEM PRIVATE ${DVBV5_INCLUDE})
target_link_libraries(dvb_core PUBLIC ${DVBV5_LIBRARY})
add_node_addon(dvb dvb/src/addon.cpp dvb/src/arguments.cpp)
if(TARGET dvb_addon)
    target_link_libraries(dvb_addon PRIVATE dvb_core)
endif()

foreach(name antenna demux frontend read_thread statistics tuning)
    add_native_test(dvb_${name}_test dvb/test/${name}_test.cpp)
    if(BUILD_TESTING)
        target_link_libraries(dvb_${name}_test PRIVATE dvb_core)
    endif()
endforeach()
