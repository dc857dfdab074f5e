#include "dvb/src/tuning.hpp"

#include <linux/dvb/frontend.h>

#include <array>
#include <string_view>
#include <utility>

#include "dvb/src/dvb_error.hpp"

namespace streamverse::dvb {
namespace {

using Choice = std::pair<std::string_view, uint32_t>;

// The kernel's numbers (uapi/linux/dvb/frontend.h). Those of DVB-S2X are younger than the headers of
// Debian 12.
constexpr std::array<Choice, 6> kModulations{{{"QPSK", QPSK},
                                              {"8PSK", PSK_8},
                                              {"16APSK", APSK_16},
                                              {"32APSK", APSK_32},
                                              {"64APSK", 19},
                                              {"auto", QAM_AUTO}}};
constexpr std::array<Choice, 5> kLinearModulations{
    {{"8APSK-L", 16}, {"16APSK-L", 17}, {"32APSK-L", 18}, {"64APSK-L", 20}, {"DQPSK", DQPSK}}};
constexpr std::array<Choice, 32> kCodeRates{
    {{"auto", FEC_AUTO}, {"1/2", FEC_1_2}, {"2/3", FEC_2_3}, {"3/4", FEC_3_4}, {"4/5", FEC_4_5},
     {"5/6", FEC_5_6},   {"6/7", FEC_6_7}, {"7/8", FEC_7_8}, {"8/9", FEC_8_9}, {"3/5", FEC_3_5},
     {"9/10", FEC_9_10}, {"2/5", FEC_2_5}, {"1/3", 13},      {"1/4", 14},      {"5/9", 15},
     {"7/9", 16},        {"8/15", 17},     {"11/15", 18},    {"13/18", 19},    {"9/20", 20},
     {"11/20", 21},      {"23/36", 22},    {"25/36", 23},    {"13/45", 24},    {"26/45", 25},
     {"28/45", 26},      {"32/45", 27},    {"77/90", 28},    {"11/45", 29},    {"4/15", 30},
     {"14/45", 31},      {"7/15", 32}}};
constexpr std::array<Choice, 7> kRollOffs{{{"0.35", ROLLOFF_35},
                                           {"0.20", ROLLOFF_20},
                                           {"0.25", ROLLOFF_25},
                                           {"auto", ROLLOFF_AUTO},
                                           {"0.15", 4},
                                           {"0.10", 5},
                                           {"0.05", 6}}};
constexpr std::array<Choice, 3> kPilots{{{"on", PILOT_ON}, {"off", PILOT_OFF}, {"auto", PILOT_AUTO}}};

[[noreturn]] void Refuse(const std::string& what, const std::string& given) {
    throw DvbError("NATIVE_DVB_ARGUMENT", what + " is none that the standard has: " + given);
}

template <size_t kCount>
std::optional<uint32_t> Find(const std::array<Choice, kCount>& choices, const std::string& name) {
    for (const auto& [known, value] : choices) {
        if (known == name) {
            return value;
        }
    }
    return std::nullopt;
}

template <size_t kCount>
uint32_t Require(const std::array<Choice, kCount>& choices, const char* what, const std::string& name) {
    const std::optional<uint32_t> value = Find(choices, name);
    if (!value) {
        Refuse(what, name);
    }
    return *value;
}

uint32_t ModulationOf(const Tuning& tuning) {
    if (tuning.system == "DVB-S") {
        if (tuning.modulation != "QPSK" && tuning.modulation != "auto") {
            Refuse("the modulation of DVB-S", tuning.modulation);
        }
        return QPSK;
    }
    const std::optional<uint32_t> linear = Find(kLinearModulations, tuning.modulation);
    return linear ? *linear : Require(kModulations, "the modulation", tuning.modulation);
}

uint32_t Within(const char* what, uint32_t value, uint32_t most) {
    if (value > most) {
        Refuse(what, std::to_string(value));
    }
    return value;
}

}  // namespace

std::vector<Property> TuningProperties(const Tuning& tuning, uint32_t tunerKhz) {
    const bool second = tuning.system == "DVB-S2" || tuning.system == "DVB-S2X";
    if (!second && tuning.system != "DVB-S") {
        Refuse("the delivery system", tuning.system);
    }
    if (tuning.symbolRate == 0 || tunerKhz == 0) {
        Refuse("a symbol rate or frequency", "0");
    }
    // The kernel has one delivery system for DVB-S2 and its extension.
    std::vector<Property> list{{DTV_CLEAR, 0},
                               {DTV_DELIVERY_SYSTEM, second ? uint32_t{SYS_DVBS2} : uint32_t{SYS_DVBS}},
                               {DTV_FREQUENCY, tunerKhz},
                               {DTV_MODULATION, ModulationOf(tuning)},
                               {DTV_SYMBOL_RATE, tuning.symbolRate},
                               {DTV_INNER_FEC, Require(kCodeRates, "the code rate", tuning.codeRate)},
                               {DTV_INVERSION, INVERSION_AUTO}};
    if (second) {
        list.push_back({DTV_ROLLOFF, Require(kRollOffs, "the roll-off", tuning.rollOff)});
        list.push_back({DTV_PILOT, Require(kPilots, "the pilot", tuning.pilot)});
        // Without one, a driver takes what it finds; a number of a single-stream carrier would filter all of
        // it away.
        list.push_back({DTV_STREAM_ID, tuning.inputStream
                                           ? Within("the input stream", *tuning.inputStream, kInputStreamMax)
                                           : NO_STREAM_ID_FILTER});
        if (tuning.plsIndex) {
            list.push_back(
                {DTV_SCRAMBLING_SEQUENCE_INDEX, Within("the PLS index", *tuning.plsIndex, kPlsIndexMax)});
        }
    }
    list.push_back({DTV_TUNE, 0});
    return list;
}

}  // namespace streamverse::dvb
