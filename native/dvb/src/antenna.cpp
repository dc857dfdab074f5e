#include "dvb/src/antenna.hpp"

#include "dvb/src/dvb_error.hpp"

namespace streamverse::dvb {
namespace {

// DiSEqC Bus Specification 4.2: silence around every message, and after the supply has changed.
constexpr uint32_t kSilenceMs = 15;
// EN 50494 section 6: 4 to 22 ms at 18 V before the message, 2 to 60 ms after it.
constexpr uint32_t kUnicableBeforeMs = 10;
constexpr uint32_t kUnicableAfterMs = 20;

constexpr uint8_t kMaster = 0xE0;  // framing: command from the master, no reply, first transmission
constexpr uint8_t kAnySwitch = 0x10;
constexpr uint8_t kWriteCommitted = 0x38;
constexpr uint8_t kWriteUncommitted = 0x39;
constexpr uint8_t kOduChannelChange = 0x5A;
constexpr uint8_t kOduChannelChangePin = 0x5C;
constexpr uint8_t kJessChannelChange = 0x70;
constexpr uint8_t kJessChannelChangePin = 0x71;

void Require(bool condition, const char* what) {
    if (!condition) {
        throw DvbError("NATIVE_DVB_ARGUMENT", what);
    }
}

// V and right circular are 13 V, H and left circular 18 V.
bool IsHigh(Polarization polarization) {
    return polarization == Polarization::horizontal || polarization == Polarization::left;
}

struct Path {
    uint32_t intermediateKhz;
    bool horizontal;
    bool highBand;
};

Path ThroughLnb(const Tuning& tuning, const Lnb& lnb) {
    const bool highBand = lnb.highKhz != 0 && tuning.frequencyKhz >= lnb.switchKhz;
    const uint32_t oscillator = highBand ? lnb.highKhz : lnb.lowKhz;
    // In the C band the oscillator lies above the carrier.
    const uint32_t difference = tuning.frequencyKhz > oscillator ? tuning.frequencyKhz - oscillator
                                                                 : oscillator - tuning.frequencyKhz;
    Require(difference > 0, "the LNB's oscillator is on the carrier");
    return {.intermediateKhz = difference, .horizontal = IsHigh(tuning.polarization), .highBand = highBand};
}

uint8_t Byte(uint32_t value) {
    return static_cast<uint8_t>(value & 0xFF);
}

// EN 50494 section 7: the ODU mixes with 4 * (T + 350) MHz, so the carrier comes out at that less its own.
AntennaPlan FirstUnicable(const Path& path, const Unicable& unicable) {
    Require(unicable.userBand < 8 && unicable.position < 2, "EN 50494 has 8 user bands and 2 positions");
    const uint32_t sumMhz = (path.intermediateKhz + unicable.frequencyKhz + 2000) / 1000;
    Require(sumMhz / 4 >= 350 && sumMhz / 4 - 350 < 1024, "the carrier is beyond EN 50494");
    const uint32_t word = sumMhz / 4 - 350;
    const uint32_t bank = (unicable.position << 2) | (path.horizontal ? 2U : 0U) | (path.highBand ? 1U : 0U);
    SendMessage message{{kMaster, kAnySwitch, unicable.pin ? kOduChannelChangePin : kOduChannelChange,
                         Byte((unicable.userBand << 5) | (bank << 2) | (word >> 8)), Byte(word)}};
    if (unicable.pin) {
        message.bytes.push_back(Byte(*unicable.pin));
    }
    return {.steps = {message}, .tunerKhz = (word + 350) * 4000 - path.intermediateKhz};
}

// EN 50607 section 6: one byte of command, 1 MHz steps from 100 MHz on.
AntennaPlan SecondUnicable(const Path& path, const Unicable& unicable) {
    Require(unicable.userBand < 32 && unicable.position < 64, "EN 50607 has 32 user bands and 64 positions");
    const uint32_t megahertz = (path.intermediateKhz + 500) / 1000;
    Require(megahertz >= 100 && megahertz - 100 < 2048, "the carrier is beyond EN 50607");
    const uint32_t word = megahertz - 100;
    SendMessage message{
        {unicable.pin ? kJessChannelChangePin : kJessChannelChange,
         Byte((unicable.userBand << 3) | (word >> 8)), Byte(word),
         Byte((unicable.position << 2) | (path.horizontal ? 2U : 0U) | (path.highBand ? 1U : 0U))}};
    if (unicable.pin) {
        message.bytes.push_back(Byte(*unicable.pin));
    }
    return {.steps = {message}, .tunerKhz = unicable.frequencyKhz};
}

// Between messages the cable is at 13 V, so that other receivers on it can be heard.
AntennaPlan OverUnicable(const Path& path, const Unicable& unicable) {
    Require(unicable.frequencyKhz > 0, "the user band needs its frequency");
    Require(!unicable.pin || *unicable.pin < 256, "a PIN has 8 bits");
    AntennaPlan plan = unicable.second ? SecondUnicable(path, unicable) : FirstUnicable(path, unicable);
    plan.steps.insert(plan.steps.begin(), {SetTone{false}, SetVoltage{true}, Wait{kUnicableBeforeMs}});
    plan.steps.insert(plan.steps.end(), {Wait{kUnicableAfterMs}, SetVoltage{false}});
    return plan;
}

}  // namespace

AntennaPlan PlanAntenna(const Tuning& tuning, const Antenna& antenna) {
    const Path path = ThroughLnb(tuning, antenna.lnb);
    if (antenna.unicable) {
        return OverUnicable(path, *antenna.unicable);
    }
    AntennaPlan plan{.steps = {SetVoltage{path.horizontal}, SetTone{false}, Wait{kSilenceMs}},
                     .tunerKhz = path.intermediateKhz};
    const auto send = [&plan](ControlStep step) {
        plan.steps.push_back(std::move(step));
        plan.steps.emplace_back(Wait{kSilenceMs});
    };
    const uint32_t low = (path.horizontal ? 2U : 0U) | (path.highBand ? 1U : 0U);
    // The switch farther from the dish first: it must let the nearer one's message through.
    if (antenna.uncommitted) {
        Require(*antenna.uncommitted < 16, "an uncommitted switch has 16 ports");
        send(SendMessage{{kMaster, kAnySwitch, kWriteUncommitted, Byte(0xF0 | *antenna.uncommitted)}});
    }
    if (antenna.committed) {
        Require(*antenna.committed < 4, "a committed switch has 4 ports");
        send(SendMessage{
            {kMaster, kAnySwitch, kWriteCommitted, Byte(0xF0 | (*antenna.committed << 2) | low)}});
    }
    if (antenna.burst) {
        send(SendBurst{*antenna.burst != 0});
    }
    plan.steps.emplace_back(SetTone{path.highBand});
    return plan;
}

}  // namespace streamverse::dvb
