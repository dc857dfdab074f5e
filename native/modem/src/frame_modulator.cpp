#include "modem/src/frame_modulator.hpp"

#include <algorithm>
#include <cstring>
#include <numbers>
#include <stdexcept>

#include "modem/src/bb_scrambler.hpp"
#include "modem/src/kernels.hpp"
#include "modem/src/pl_header.hpp"
#include "modem/src/pl_scrambler.hpp"
#include "modem/src/symbol_mapper.hpp"
#include "modem/src/vl_snr.hpp"

namespace streamverse::modem {

namespace {

constexpr float kHalf = static_cast<float>(1 / std::numbers::sqrt2);
constexpr Point kUnmodulated{kHalf, kHalf};  // pilots and dummy symbols, before scrambling
constexpr unsigned kLabelSlack = 64;

unsigned PilotBlocks(const Modcod& modcod) {
    return modcod.pilots ? (modcod.slots - 1u) / kPilotInterval : 0;
}

std::vector<uint8_t> Copy(const uint8_t* bytes, size_t bits) {
    return {bytes, bytes + (bits + 7) / 8};
}

}  // namespace

const Modcod& ModcodOf(uint16_t pls) {
    for (const VlSnr& mode : kVlSnr) {
        if (pls == kVlSnrFirst + mode.headerIndex) {
            return mode.modcod;
        }
    }
    if (pls >= std::size(kModcods) || kModcods[pls].code == nullptr) {
        throw std::invalid_argument("this PLS value has no FECFRAME");
    }
    return kModcods[pls];
}

unsigned PlFrameSymbols(const Modcod& modcod) {
    return kHeaderSymbols + SymbolCount(modcod) + PilotBlocks(modcod) * kPilotSymbols;
}

FrameModulator::FrameModulator(uint32_t goldIndex)
    : rotations_(MakeRotations(goldIndex, kPlFrameSymbolsMax)), labels_(kFecBitsMax / 2 + kLabelSlack) {}

FrameModulator::Plan& FrameModulator::PlanOf(uint16_t pls) {
    const Modcod& modcod = ModcodOf(pls);
    auto& plan = plans_[pls];
    if (plan != nullptr) {
        return *plan;
    }
    auto& coder = coders_[modcod.code];
    if (coder == nullptr) {
        coder = std::make_unique<Coder>(*modcod.code,
                                        modcod.vlSnr == nullptr ? *modcod.code : *modcod.vlSnr->inner);
    }
    plan = std::make_unique<Plan>();
    plan->coder = coder.get();
    MakePlHeader(modcod.vlSnr == nullptr ? static_cast<uint8_t>(pls) : modcod.vlSnr->pls,
                 plan->header.data());
    if (modcod.vlSnr != nullptr) {
        return *plan;
    }
    for (unsigned turns = 0; turns < 4; ++turns) {
        for (unsigned label = 0; label < 1u << modcod.bitsPerSymbol; ++label) {
            plan->points.push_back(Rotate(modcod.points[label], turns));
        }
    }
    return *plan;
}

void FrameModulator::Modulate(uint16_t pls, std::span<const uint8_t> bbFrame, std::vector<Point>& symbols,
                              Stages* stages) {
    Plan& plan = PlanOf(pls);
    const Modcod& modcod = ModcodOf(pls);
    const Code& code = *modcod.code;
    if (bbFrame.size() != BbFrameBytes(modcod)) {
        throw std::invalid_argument("a BBFRAME has as many bytes as its code's Kbch bits fill");
    }
    if (modcod.vlSnr != nullptr) {
        ModulateVlSnr(*modcod.vlSnr, plan, bbFrame, symbols, stages);
        return;
    }
    std::ranges::copy(bbFrame, bits_.data());
    ScrambleBbFrame(bits_.data(), code.kbch);
    plan.coder->bch.Encode(bits_.data());
    plan.coder->ldpc.Encode(bits_.data());
    // The bits that 128APSK lacks are zeros.
    std::fill_n(bits_.data() + code.nldpc / 8, bit::kSlackBytes, uint8_t{0});
    MapToLabels(modcod, bits_.data(), labels_.data());
    const size_t begin = symbols.size();
    symbols.resize(begin + PlFrameSymbols(modcod));
    std::ranges::copy(plan.header, symbols.begin() + static_cast<std::ptrdiff_t>(begin));
    WriteSlots(modcod, plan, symbols.data() + begin + kHeaderSymbols);
    if (stages != nullptr) {
        stages->scrambled = Copy(bits_.data(), code.kbch);
        stages->bch = Copy(bits_.data(), code.nbch);
        stages->ldpc = Copy(bits_.data(), code.nldpc);
        stages->labels.assign(labels_.begin(), labels_.begin() + SymbolCount(modcod));
    }
}

void FrameModulator::ModulateVlSnr(const VlSnr& mode, Plan& plan, std::span<const uint8_t> bbFrame,
                                   std::vector<Point>& symbols, Stages* stages) {
    const Code& code = *mode.modcod.code;
    // Zeros take the place of what is shortened.
    uint8_t* outer = bits_.data() + mode.shortened / 8;
    std::fill_n(bits_.data(), mode.shortened / 8, uint8_t{0});
    std::ranges::copy(bbFrame, outer);
    ScrambleBbFrame(outer, code.kbch);
    plan.coder->bch.Encode(outer);
    if (stages != nullptr) {
        stages->scrambled = Copy(bbFrame.data(), code.kbch);
        ScrambleBbFrame(stages->scrambled.data(), code.kbch);
        stages->bch = Copy(outer, code.nbch);
    }
    plan.coder->ldpc.Encode(bits_.data());
    const std::vector<uint8_t> sent = SelectSent(mode, bits_.data());
    MapVlSnrLabels(mode, sent, labels_.data());
    const size_t begin = symbols.size();
    symbols.resize(begin + PlFrameSymbols(mode.modcod));
    std::ranges::copy(plan.header, symbols.begin() + static_cast<std::ptrdiff_t>(begin));
    WriteVlSnrSymbols(mode, labels_.data(), rotations_.data(), symbols.data() + begin + kHeaderSymbols);
    if (stages != nullptr) {
        stages->ldpc = sent;
        stages->labels.assign(labels_.begin(), labels_.begin() + VlSnrDataSymbols(mode));
    }
}

void FrameModulator::WriteSlots(const Modcod& modcod, const Plan& plan, Point* symbols) const {
    const uint8_t* labels = labels_.data();
    const uint8_t* rotations = rotations_.data();
    unsigned left = SymbolCount(modcod);
    const unsigned most = modcod.pilots ? kPilotInterval * kSlotSymbols : left;
    while (left > 0) {
        const unsigned run = std::min(left, most);
        ActiveKernels().placePoints(labels, rotations, modcod.bitsPerSymbol, plan.points.data(), run,
                                    symbols);
        labels += run;
        rotations += run;
        symbols += run;
        left -= run;
        if (left > 0) {
            for (unsigned pilot = 0; pilot < kPilotSymbols; ++pilot) {
                *symbols++ = Rotate(kUnmodulated, *rotations++);
            }
        }
    }
}

void FrameModulator::ModulateDummy(std::vector<Point>& symbols) const {
    const size_t begin = symbols.size();
    symbols.resize(begin + kDummySymbols);
    MakePlHeader(0, symbols.data() + begin);
    for (unsigned symbol = 0; symbol < kDummySlots * kSlotSymbols; ++symbol) {
        symbols[begin + kHeaderSymbols + symbol] = Rotate(kUnmodulated, rotations_[symbol]);
    }
}

}  // namespace streamverse::modem
