#include "dvb/src/antenna.hpp"

#include "dvb/src/dvb_error.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::dvb;

Tuning At(uint32_t frequencyKhz, Polarization polarization) {
    return {.system = "DVB-S2",
            .frequencyKhz = frequencyKhz,
            .polarization = polarization,
            .symbolRate = 27'500'000};
}

std::vector<uint8_t> MessageOf(const AntennaPlan& plan) {
    for (const ControlStep& step : plan.steps) {
        if (const auto* message = std::get_if<SendMessage>(&step)) {
            return message->bytes;
        }
    }
    return {};
}

void GoesThroughTheLnb() {
    const AntennaPlan high = PlanAntenna(At(11'727'500, Polarization::vertical), {});
    CHECK(high.tunerKhz == 1'127'500);
    CHECK(
        (high.steps == std::vector<ControlStep>{SetVoltage{false}, SetTone{false}, Wait{15}, SetTone{true}}));
    const AntennaPlan low = PlanAntenna(At(10'714'250, Polarization::horizontal), {});
    CHECK(low.tunerKhz == 964'250);
    CHECK(
        (low.steps == std::vector<ControlStep>{SetVoltage{true}, SetTone{false}, Wait{15}, SetTone{false}}));
    CHECK(PlanAntenna(At(11'700'000, Polarization::vertical), {}).tunerKhz == 1'100'000);
    CHECK(PlanAntenna(At(11'699'999, Polarization::vertical), {}).tunerKhz == 1'949'999);
    // In the C band the oscillator lies above, and there is one band only.
    const AntennaPlan c = PlanAntenna(At(3'840'000, Polarization::left), {.lnb = {5'150'000, 0, 0}});
    CHECK(c.tunerKhz == 1'310'000);
    CHECK((c.steps.front() == ControlStep{SetVoltage{true}}) &&
          (c.steps.back() == ControlStep{SetTone{false}}));
    CHECK_THROWS(PlanAntenna(At(9'750'000, Polarization::left), {}), DvbError);
}

// The table of switch data in the manuals of Kathrein's meters (MSK 33, MSK 125): V/Lo F0, V/Hi F1, H/Lo F2,
// H/Hi F3, and 4 more for each position.
void WritesCommittedPorts() {
    const struct {
        uint32_t port;
        Polarization polarization;
        uint32_t frequencyKhz;
        uint8_t data;
    } table[] = {
        {0, Polarization::vertical, 11'000'000, 0xF0},   {0, Polarization::vertical, 12'000'000, 0xF1},
        {0, Polarization::horizontal, 11'000'000, 0xF2}, {0, Polarization::horizontal, 12'000'000, 0xF3},
        {1, Polarization::vertical, 11'000'000, 0xF4},   {2, Polarization::vertical, 12'000'000, 0xF9},
        {2, Polarization::horizontal, 12'000'000, 0xFB}, {3, Polarization::horizontal, 12'000'000, 0xFF}};
    for (const auto& row : table) {
        const AntennaPlan plan = PlanAntenna(At(row.frequencyKhz, row.polarization), {.committed = row.port});
        CHECK((MessageOf(plan) == std::vector<uint8_t>{0xE0, 0x10, 0x38, row.data}));
    }
    CHECK_THROWS(PlanAntenna(At(12'000'000, Polarization::left), {.committed = 4}), DvbError);
}

// Bus Functional Specification 4.2 section 8: E0 10 39 Fx.
void OrdersWholeCascade() {
    const AntennaPlan plan = PlanAntenna(At(11'727'500, Polarization::horizontal),
                                         {.committed = 1, .uncommitted = 13, .burst = 1});
    const std::vector<ControlStep> expected{SetVoltage{true}, SetTone{false},
                                            Wait{15},         SendMessage{{0xE0, 0x10, 0x39, 0xFD}},
                                            Wait{15},         SendMessage{{0xE0, 0x10, 0x38, 0xF7}},
                                            Wait{15},         SendBurst{true},
                                            Wait{15},         SetTone{true}};
    CHECK(plan.steps == expected);
    CHECK_THROWS(PlanAntenna(At(11'727'500, Polarization::left), {.uncommitted = 16}), DvbError);
}

// libdvbv5 computes t = ((MHz + band + 2) / 4) - 350 and tunes to (t + 350) * 4 MHz less the carrier.
void WritesEn50494() {
    const auto plan = [](uint32_t khz, Polarization polarization, const Unicable& unicable) {
        return PlanAntenna(At(khz, polarization), {.unicable = unicable});
    };
    const AntennaPlan first =
        plan(11'727'500, Polarization::vertical, {.userBand = 0, .frequencyKhz = 1'210'000});
    CHECK((MessageOf(first) == std::vector<uint8_t>{0xE0, 0x10, 0x5A, 0x04, 0xEA}));
    CHECK(first.tunerKhz == 1'208'500);
    CHECK((first.steps == std::vector<ControlStep>{SetTone{false}, SetVoltage{true}, Wait{10},
                                                   SendMessage{{0xE0, 0x10, 0x5A, 0x04, 0xEA}}, Wait{20},
                                                   SetVoltage{false}}));
    // 1950 + 2040 MHz: ((3990 + 2) / 4) - 350 = 648 = 0x288; user band 3, position B, horizontal, low.
    const AntennaPlan second = plan(11'700'000 - 1, Polarization::horizontal,
                                    {.userBand = 3, .frequencyKhz = 2'040'001, .position = 1, .pin = 0x5E});
    CHECK((MessageOf(second) == std::vector<uint8_t>{0xE0, 0x10, 0x5C, 0x7A, 0x88, 0x5E}));
    CHECK_THROWS(plan(11'727'500, Polarization::left, {.userBand = 8, .frequencyKhz = 1'210'000}), DvbError);
    CHECK_THROWS(plan(11'727'500, Polarization::left, {.userBand = 0}), DvbError);
}

// STMicroelectronics AN2056 section 3.2.1 and its table 2: an oscillator at 4300 MHz is T = 2D5, at 3100 MHz
// 1A9, at 1900 MHz 7D; the eight feeds are numbered by position, polarization and band.
void AgreesWithThePublishedWords() {
    const struct {
        uint32_t carrierKhz;
        uint32_t bandKhz;
        uint16_t word;
    } table[] = {{2'100'000, 2'200'000, 0x2D5}, {1'100'000, 2'000'000, 0x1A9}, {950'000, 950'000, 0x07D}};
    for (const auto& row : table) {
        for (uint32_t feed = 0; feed < 8; ++feed) {
            const bool high = (feed & 1) != 0;
            const Polarization polarization =
                (feed & 2) != 0 ? Polarization::horizontal : Polarization::vertical;
            // Both bands of this LNB give the same intermediate frequency.
            const Lnb lnb{.lowKhz = 9'000'000, .highKhz = 9'000'000, .switchKhz = high ? 1 : 99'000'000U};
            const AntennaPlan plan = PlanAntenna(
                At(lnb.lowKhz + row.carrierKhz, polarization),
                {.lnb = lnb,
                 .unicable = Unicable{.userBand = 7, .frequencyKhz = row.bandKhz, .position = feed >> 2}});
            const std::vector<uint8_t> message = MessageOf(plan);
            CHECK(message.size() == 5 && message[3] == ((7U << 5) | (feed << 2) | (row.word >> 8)));
            CHECK(message[4] == (row.word & 0xFF) && plan.tunerKhz == row.bandKhz);
        }
    }
}

void WritesEn50607() {
    const auto plan = [](uint32_t khz, Polarization polarization, const Unicable& unicable) {
        return PlanAntenna(At(khz, polarization), {.unicable = unicable});
    };
    // 1128 - 100 = 1028 = 0x404, vertical, high band.
    const AntennaPlan first =
        plan(11'727'500, Polarization::vertical, {.second = true, .userBand = 0, .frequencyKhz = 1'210'000});
    CHECK((MessageOf(first) == std::vector<uint8_t>{0x70, 0x04, 0x04, 0x01}));
    CHECK(first.tunerKhz == 1'210'000);
    // 964.25 MHz: 964 - 100 = 864 = 0x360; user band 31, position 2, horizontal, low.
    const AntennaPlan second =
        plan(10'714'250, Polarization::horizontal,
             {.second = true, .userBand = 31, .frequencyKhz = 2'096'000, .position = 2, .pin = 9});
    CHECK((MessageOf(second) == std::vector<uint8_t>{0x71, 0xFB, 0x60, 0x0A, 0x09}));
    CHECK_THROWS(plan(11'727'500, Polarization::left, {.second = true, .userBand = 32, .frequencyKhz = 1}),
                 DvbError);
}

}  // namespace

int main() {
    GoesThroughTheLnb();
    WritesCommittedPorts();
    OrdersWholeCascade();
    WritesEn50494();
    AgreesWithThePublishedWords();
    WritesEn50607();
    return 0;
}
