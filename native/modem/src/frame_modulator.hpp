// One BBFRAME to one PLFRAME: FEC, mapping, physical layer framing (EN 302 307-1, 5.2.2 to 5.5).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "bit/bits.hpp"
#include "modem/src/bch_encoder.hpp"
#include "modem/src/ldpc_encoder.hpp"
#include "modem/src/tables.hpp"

namespace streamverse::modem {

inline constexpr unsigned kDummySlots = 36;
inline constexpr unsigned kDummySymbols = kHeaderSymbols + kDummySlots * kSlotSymbols;
inline constexpr unsigned kPlFrameSymbolsMax = 33282;  // QPSK with pilots

// Of a PLS value, or of a VL-SNR mode: kVlSnrFirst and the index of its header. Throws std::invalid_argument
// for what has no FECFRAME.
const Modcod& ModcodOf(uint16_t pls);

// Of a BBFRAME, its last byte filled with zeros.
inline size_t BbFrameBytes(const Modcod& modcod) {
    return (size_t{modcod.code->kbch} + 7) / 8;
}

// Symbols of a PLFRAME with its header and pilots.
unsigned PlFrameSymbols(const Modcod& modcod);

// What a frame was on its way, for whoever looks at a stage.
struct Stages {
    std::vector<uint8_t> scrambled;  // kbch bits
    std::vector<uint8_t> bch;        // nbch bits
    std::vector<uint8_t> ldpc;       // nldpc bits
    std::vector<uint8_t> labels;     // one a symbol
};

// Modulates frames of any MODCOD in turn (VCM). Makes what a MODCOD needs when it comes for the first time.
// One thread.
class FrameModulator {
 public:
    // Throws std::invalid_argument for a Gold index beyond kGoldIndexMax.
    explicit FrameModulator(uint32_t goldIndex);

    // Appends the symbols of one PLFRAME. `bbFrame` has ceil(kbch / 8) bytes: header, data, padding, not
    // scrambled. Throws std::invalid_argument for a PLS value without a code or a frame of another size.
    void Modulate(uint16_t pls, std::span<const uint8_t> bbFrame, std::vector<Point>& symbols,
                  Stages* stages = nullptr);

    // Appends a dummy PLFRAME: sent when there is no data (5.5.1).
    void ModulateDummy(std::vector<Point>& symbols) const;

 private:
    // Of one code: its encoders.
    struct Coder {
        Coder(const Code& outer, const Code& inner) : bch(outer), ldpc(inner) {}
        BchEncoder bch;
        LdpcEncoder ldpc;
    };
    // Of one MODCOD: its header, and its points by rotation and label.
    struct Plan {
        std::array<Point, kHeaderSymbols> header;
        std::vector<Point> points;
        Coder* coder;
    };

    std::vector<uint8_t> rotations_;
    std::map<const Code*, std::unique_ptr<Coder>> coders_;
    std::map<uint16_t, std::unique_ptr<Plan>> plans_;
    bit::BitBuffer bits_{kFecBitsMax};
    std::vector<uint8_t> labels_;

    Plan& PlanOf(uint16_t pls);
    void ModulateVlSnr(const VlSnr& mode, Plan& plan, std::span<const uint8_t> bbFrame,
                       std::vector<Point>& symbols, Stages* stages);
    void WriteSlots(const Modcod& modcod, const Plan& plan, Point* symbols) const;
};

}  // namespace streamverse::modem
