// The frontends of this machine, through libdvbv5.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dvb/src/frontend.hpp"

namespace streamverse::dvb {

struct FrontendFacts {
    uint32_t adapter = 0;
    uint32_t frontend = 0;
    std::string name;  // of the demodulator, as its driver says; empty while it cannot be asked
    std::string bus;
    std::vector<std::string> systems;
    uint32_t frequencyKhzMin = 0;
    uint32_t frequencyKhzMax = 0;
    uint32_t symbolRateMin = 0;
    uint32_t symbolRateMax = 0;
    bool multistream = false;
    bool satellite = false;
};

// Asks each frontend without taking it, so that those which somebody uses are listed, too.
std::vector<FrontendFacts> ListFrontends();

// Takes the frontend until the port is destroyed. Throws DvbError NATIVE_DVB_ABSENT, _BUSY, _DENIED, _GONE or
// _IO.
std::unique_ptr<FrontendPort> OpenKernelFrontend(uint32_t adapter, uint32_t frontend);

}  // namespace streamverse::dvb
