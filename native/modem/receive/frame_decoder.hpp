// The symbols of a PLFRAME to its BBFRAME.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "modem/receive/bch_decoder.hpp"
#include "modem/receive/carrier.hpp"
#include "modem/receive/ldpc_decoder.hpp"

namespace streamverse::modem::receive {

struct DecodedFrame {
    std::vector<uint8_t> bbFrame;  // empty when it could not be decoded
    unsigned ldpcIterations = 0;
    unsigned bitsCorrected = 0;  // by the outer code
    double errorPower = 0;       // of a symbol, of unit energy, against what was sent; else the nearest point
    std::vector<Complex> symbols;
};

// How a PLFRAME lies in its symbols, by its PLS value.
struct FrameLayout {
    const Modcod* modcod;  // null: a dummy frame
    unsigned symbols;      // with the header
    bool hasPilots;
    unsigned slots;
};

// None for a value whose frames this receiver does not know.
std::optional<FrameLayout> LayoutOf(uint8_t pls);

// One thread.
class FrameDecoder {
 public:
    explicit FrameDecoder(uint32_t goldIndex);

    // Takes the physical layer's scrambling off the `symbols` of a frame, whose header stays as it is.
    void Descramble(std::span<Complex> symbols) const;

    // Of descrambled symbols; `frequencies` are tried. What may follow the frame is the next header.
    Carrier FindCarrier(uint8_t pls, const FrameLayout& layout, std::span<const Complex> symbols,
                        const std::optional<HeaderMatch>& next, float frequency, float range) const;

    DecodedFrame Decode(const FrameLayout& layout, std::span<const Complex> symbols, const Carrier& carrier);

 private:
    struct Coder {
        explicit Coder(const Code& code) : inner(code), outer(code) {}
        LdpcDecoder inner;
        BchDecoder outer;
    };

    std::vector<uint8_t> turns_;
    std::map<const Code*, std::unique_ptr<Coder>> coders_;
};

// Where the data of a frame lies: calls `use(symbol)` for each, in order.
template <typename Use>
void ForEachDataSymbol(const FrameLayout& layout, Use&& use) {
    constexpr unsigned kRun = kPilotInterval * kSlotSymbols;
    size_t symbol = kHeaderSymbols;
    for (unsigned index = 0; index < layout.slots * kSlotSymbols; ++index, ++symbol) {
        if (layout.hasPilots && index > 0 && index % kRun == 0) {
            symbol += kPilotSymbols;
        }
        use(symbol);
    }
}

}  // namespace streamverse::modem::receive
