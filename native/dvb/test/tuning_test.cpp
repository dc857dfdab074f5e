#include "dvb/src/tuning.hpp"

#include <linux/dvb/frontend.h>

#include <algorithm>

#include "dvb/src/dvb_error.hpp"
#include "test/check.hpp"

namespace {

using streamverse::dvb::DvbError;
using streamverse::dvb::Polarization;
using streamverse::dvb::Property;
using streamverse::dvb::Tuning;
using streamverse::dvb::TuningProperties;

const Tuning kTransponder{.system = "DVB-S2",
                          .frequencyKhz = 11'727'500,
                          .polarization = Polarization::vertical,
                          .symbolRate = 27'500'000,
                          .modulation = "8PSK",
                          .codeRate = "3/4",
                          .rollOff = "0.20",
                          .pilot = "on"};

std::optional<uint32_t> ValueOf(const std::vector<Property>& list, uint32_t command) {
    const auto found = std::ranges::find(list, command, &Property::command);
    return found == list.end() ? std::nullopt : std::optional(found->value);
}

void ListsWhatTheKernelWants() {
    const std::vector<Property> list = TuningProperties(kTransponder, 1'127'500);
    CHECK(list.front() == (Property{DTV_CLEAR, 0}));
    CHECK(list.back() == (Property{DTV_TUNE, 0}));
    CHECK(ValueOf(list, DTV_DELIVERY_SYSTEM) == SYS_DVBS2);
    CHECK(ValueOf(list, DTV_FREQUENCY) == 1'127'500);
    CHECK(ValueOf(list, DTV_SYMBOL_RATE) == 27'500'000);
    CHECK(ValueOf(list, DTV_MODULATION) == PSK_8);
    CHECK(ValueOf(list, DTV_INNER_FEC) == FEC_3_4);
    CHECK(ValueOf(list, DTV_ROLLOFF) == ROLLOFF_20);
    CHECK(ValueOf(list, DTV_PILOT) == PILOT_ON);
    CHECK(ValueOf(list, DTV_STREAM_ID) == NO_STREAM_ID_FILTER);
    CHECK(!ValueOf(list, DTV_SCRAMBLING_SEQUENCE_INDEX));
}

void SendsStreamAndGoldSequence() {
    Tuning tuning = kTransponder;
    tuning.inputStream = 5;
    tuning.plsIndex = 8;
    const std::vector<Property> list = TuningProperties(tuning, 1'127'500);
    CHECK(ValueOf(list, DTV_STREAM_ID) == 5);
    CHECK(ValueOf(list, DTV_SCRAMBLING_SEQUENCE_INDEX) == 8);
    // Before the order to tune, or it would hold for the next one.
    CHECK(list.back().command == DTV_TUNE);
    tuning.plsIndex = 262'142;
    CHECK(ValueOf(TuningProperties(tuning, 1), DTV_SCRAMBLING_SEQUENCE_INDEX) == 262'142);
    tuning.plsIndex = 262'143;
    CHECK_THROWS(TuningProperties(tuning, 1), DvbError);
    tuning.plsIndex.reset();
    tuning.inputStream = 256;
    CHECK_THROWS(TuningProperties(tuning, 1), DvbError);
}

void KnowsTheExtension() {
    Tuning tuning = kTransponder;
    tuning.system = "DVB-S2X";
    tuning.modulation = "64APSK";
    tuning.codeRate = "11/15";
    tuning.rollOff = "0.05";
    const std::vector<Property> list = TuningProperties(tuning, 1'127'500);
    // include/uapi/linux/dvb/frontend.h of Linux 6.12.
    CHECK(ValueOf(list, DTV_DELIVERY_SYSTEM) == SYS_DVBS2);
    CHECK(ValueOf(list, DTV_MODULATION) == 19);
    CHECK(ValueOf(list, DTV_INNER_FEC) == 18);
    CHECK(ValueOf(list, DTV_ROLLOFF) == 6);
}

void LeavesSecondGenerationToIt() {
    Tuning tuning{.system = "DVB-S", .frequencyKhz = 12'000'000, .symbolRate = 22'000'000};
    const std::vector<Property> list = TuningProperties(tuning, 1'400'000);
    CHECK(ValueOf(list, DTV_DELIVERY_SYSTEM) == SYS_DVBS);
    CHECK(ValueOf(list, DTV_MODULATION) == QPSK);
    CHECK(ValueOf(list, DTV_INNER_FEC) == FEC_AUTO);
    CHECK(!ValueOf(list, DTV_ROLLOFF) && !ValueOf(list, DTV_PILOT) && !ValueOf(list, DTV_STREAM_ID));
    tuning.modulation = "8PSK";
    CHECK_THROWS(TuningProperties(tuning, 1'400'000), DvbError);
}

void RefusesWhatIsNoStandard() {
    for (const auto& spoil : std::initializer_list<void (*)(Tuning&)>{
             [](Tuning& tuning) { tuning.system = "DVB-T"; },
             [](Tuning& tuning) { tuning.modulation = "8psk"; },
             [](Tuning& tuning) { tuning.codeRate = "3/2"; }, [](Tuning& tuning) { tuning.rollOff = "0.3"; },
             [](Tuning& tuning) { tuning.pilot = ""; }, [](Tuning& tuning) { tuning.symbolRate = 0; }}) {
        Tuning tuning = kTransponder;
        spoil(tuning);
        CHECK_THROWS(TuningProperties(tuning, 1'127'500), DvbError);
    }
}

}  // namespace

int main() {
    ListsWhatTheKernelWants();
    SendsStreamAndGoldSequence();
    KnowsTheExtension();
    LeavesSecondGenerationToIt();
    RefusesWhatIsNoStandard();
    return 0;
}
