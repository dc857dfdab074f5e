// The way from the dish to the tuner: LNB, DiSEqC switches, Unicable, as words on the cable. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dvb/src/tuning.hpp"

namespace streamverse::dvb {

// `highKhz` is used from `switchKhz` on; 0 for an LNB of one band, as in the Ka and C bands.
struct Lnb {
    uint32_t lowKhz = 9'750'000;
    uint32_t highKhz = 10'600'000;
    uint32_t switchKhz = 11'700'000;
};

// One user band of a single cable: EN 50494 ("Unicable", 4 MHz steps) or EN 50607 ("JESS", 1 MHz steps).
struct Unicable {
    bool second = false;  // EN 50607
    uint32_t userBand = 0;
    uint32_t frequencyKhz = 0;  // of the user band's middle
    uint32_t position = 0;      // of the satellite
    std::optional<uint32_t> pin = {};
};

struct Antenna {
    Lnb lnb = {};
    std::optional<uint32_t> committed = {};    // DiSEqC 1.0 port, 0..3
    std::optional<uint32_t> uncommitted = {};  // DiSEqC 1.1 port, 0..15
    std::optional<uint32_t> burst = {};        // tone burst, 0 = A, 1 = B
    std::optional<Unicable> unicable = {};
};

struct SetVoltage {
    bool high;  // 18 V, else 13 V
    bool operator==(const SetVoltage&) const = default;
};
struct SetTone {
    bool on;
    bool operator==(const SetTone&) const = default;
};
struct SendBurst {
    bool second;
    bool operator==(const SendBurst&) const = default;
};
struct SendMessage {
    std::vector<uint8_t> bytes;
    bool operator==(const SendMessage&) const = default;
};
struct Wait {
    uint32_t ms;
    bool operator==(const Wait&) const = default;
};
using ControlStep = std::variant<SetVoltage, SetTone, SendBurst, SendMessage, Wait>;

struct AntennaPlan {
    std::vector<ControlStep> steps = {};
    uint32_t tunerKhz = 0;  // where the carrier lies on the cable
};

// Throws DvbError NATIVE_DVB_ARGUMENT where a number has no place in its word, or the LNB cannot reach the
// frequency.
AntennaPlan PlanAntenna(const Tuning& tuning, const Antenna& antenna);

}  // namespace streamverse::dvb
