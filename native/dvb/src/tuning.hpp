// What is tuned to, and the kernel's property list for it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace streamverse::dvb {

enum class Polarization { vertical, horizontal, right, left };

// Names are those of the standards ("8PSK", "3/4", "0.20"); "auto" lets the demodulator find out.
struct Tuning {
    std::string system = {};  // DVB-S, DVB-S2, DVB-S2X
    uint32_t frequencyKhz = 0;
    Polarization polarization = Polarization::vertical;
    uint32_t symbolRate = 0;  // per second
    std::string modulation = "auto";
    std::string codeRate = "auto";
    std::string rollOff = "auto";
    std::string pilot = "auto";
    std::optional<uint32_t> inputStream = {};  // ISI, 0..255 (EN 302 307-1 section 5.1.6)
    std::optional<uint32_t> plsIndex = {};     // gold sequence, 0..262141 (EN 302 307-1 section 5.5.4)
};

struct Property {
    uint32_t command = 0;
    uint32_t value = 0;
    bool operator==(const Property&) const = default;
};

constexpr uint32_t kInputStreamMax = 255;
constexpr uint32_t kPlsIndexMax = (1U << 18) - 2;

// DTV_CLEAR first and DTV_TUNE last, as FE_SET_PROPERTY wants them; `tunerKhz` is what the cable carries, so
// behind the LNB. libdvbv5 sends no DTV_SCRAMBLING_SEQUENCE_INDEX, so this list does not go through it.
// Throws DvbError NATIVE_DVB_ARGUMENT for names and numbers that the standards do not have.
std::vector<Property> TuningProperties(const Tuning& tuning, uint32_t tunerKhz);

}  // namespace streamverse::dvb
