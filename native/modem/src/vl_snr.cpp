#include "modem/src/vl_snr.hpp"

#include <algorithm>
#include <numbers>

#include "bit/bits.hpp"
#include "modem/src/pl_scrambler.hpp"

namespace streamverse::modem {

namespace {

constexpr float kHalf = static_cast<float>(1 / std::numbers::sqrt2);
constexpr Point kPilot{kHalf, kHalf};
constexpr unsigned kPeriod = kPilotInterval * kSlotSymbols;
// The header before it counts as ten of the sixteen slots in front of the first pilots.
constexpr unsigned kFirstPeriod = 6 * kSlotSymbols;
constexpr unsigned kHeaderEdge = 2;  // zeros at either end of the header

// Pilots in the middle of periods, beside those between them.
struct ExtraPilots {
    unsigned periods;
    unsigned after;  // symbols of the period
    unsigned pilots;
};
constexpr ExtraPilots kExtraPilots[2][2] = {{{18, 703, 34}, {3, 702, 36}}, {{9, 704, 32}, {1, 702, 36}}};

Point HalfPiBpsk(unsigned symbol, unsigned bit) {
    const float value = bit != 0 ? -kHalf : kHalf;
    return {symbol % 2 == 0 ? value : -value, value};
}

// Writes a frame's payload piece by piece.
class Payload {
 public:
    Payload(const VlSnr& mode, const uint8_t* labels, const uint8_t* rotations, Point* symbols)
        : mode_(mode), labels_(labels), rotations_(rotations), symbols_(symbols) {}

    void Data(unsigned count) {
        for (unsigned index = 0; index < count; ++index, ++data_) {
            const unsigned turns = *rotations_++;
            const Point point = VlSnrPoint(mode_, data_, labels_[data_]);
            // BPSK is turned by half a turn or not at all.
            *symbols_++ = Rotate(point, mode_.modcod.bitsPerSymbol == 1 ? (turns & 1) * 2 : turns);
        }
    }

    void Pilots(unsigned count) {
        for (unsigned index = 0; index < count; ++index) {
            *symbols_++ = Rotate(kPilot, *rotations_++);
        }
    }

    void Rest() { Data(VlSnrDataSymbols(mode_) - data_); }

 private:
    const VlSnr& mode_;
    const uint8_t* labels_;
    const uint8_t* rotations_;
    Point* symbols_;
    unsigned data_ = 0;
};

}  // namespace

std::vector<uint8_t> SelectSent(const VlSnr& mode, const uint8_t* word) {
    const Code& sent = *mode.modcod.code;
    std::vector<uint8_t> bytes(sent.nldpc / 8 + 1 + bit::kSlackBytes);
    std::copy_n(word + mode.shortened / 8, sent.nbch / 8, bytes.begin());
    unsigned next = sent.nbch;
    const unsigned parity = mode.inner->nldpc - mode.inner->nbch;
    for (unsigned index = 0; index < parity; ++index) {
        if (index % mode.period == 0 && index / mode.period < mode.punctured) {
            continue;
        }
        const unsigned from = mode.inner->nbch + index;
        const unsigned value = (word[from / 8] >> (7 - from % 8)) & 1u;
        bytes[next / 8] = static_cast<uint8_t>(bytes[next / 8] | value << (7 - next % 8));
        ++next;
    }
    bytes.resize((sent.nldpc + 7) / 8);
    return bytes;
}

void MapVlSnrLabels(const VlSnr& mode, std::span<const uint8_t> sent, uint8_t* labels) {
    const unsigned bits = mode.modcod.bitsPerSymbol;
    for (unsigned symbol = 0; symbol < VlSnrDataSymbols(mode); ++symbol) {
        const unsigned first = symbol / mode.spread * bits;
        const unsigned shift = 8 - bits - first % 8;
        labels[symbol] = static_cast<uint8_t>((sent[first / 8] >> shift) & ((1u << bits) - 1));
    }
}

Point VlSnrPoint(const VlSnr& mode, unsigned symbol, uint8_t label) {
    return mode.modcod.bitsPerSymbol == 1 ? HalfPiBpsk(symbol, label) : mode.modcod.points[label];
}

void WriteVlSnrSymbols(const VlSnr& mode, const uint8_t* labels, const uint8_t* rotations, Point* symbols) {
    for (unsigned symbol = 0; symbol < kVlSnrHeaderSymbols; ++symbol) {
        const unsigned index = symbol - kHeaderEdge;
        const bool isEdge = symbol < kHeaderEdge || index >= kVlSnrHeaderBits;
        const unsigned bit = isEdge ? 0 : (mode.header[index / 8] >> (7 - index % 8)) & 1u;
        *symbols++ = HalfPiBpsk(symbol, bit);
    }
    Payload payload(mode, labels, rotations + kVlSnrHeaderSymbols, symbols);
    payload.Data(kFirstPeriod);
    payload.Pilots(kPilotSymbols);
    for (const ExtraPilots& extra : kExtraPilots[mode.set - 1]) {
        for (unsigned period = 0; period < extra.periods; ++period) {
            payload.Data(extra.after);
            payload.Pilots(extra.pilots);
            payload.Data(kPeriod - extra.after - extra.pilots);
            payload.Pilots(kPilotSymbols);
        }
    }
    payload.Rest();
}

}  // namespace streamverse::modem
