#include "modem/receive/frame_decoder.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "modem/receive/demapper.hpp"
#include "modem/receive/descrambling.hpp"

namespace streamverse::modem::receive {

namespace {

constexpr unsigned kFrameSymbolsMax = 33282;  // QPSK with pilots
constexpr unsigned kDummySlots = 36;
constexpr unsigned kIterationsMax = 50;
constexpr size_t kTrialSymbolsMost = 6000;  // by which frequencies are compared
constexpr size_t kTrialSymbolsLeast = 500;
constexpr int kTrialsMax = 500;  // on either side
constexpr float kHalf = static_cast<float>(1 / std::numbers::sqrt2);

std::array<Complex, kPilotSymbols> MakePilots() {
    std::array<Complex, kPilotSymbols> pilots;
    pilots.fill({kHalf, kHalf});
    return pilots;
}
const std::array<Complex, kPilotSymbols> kPilots = MakePilots();

std::vector<KnownBlock> PilotBlocks(const FrameLayout& layout) {
    constexpr unsigned kPeriod = kPilotInterval * kSlotSymbols + kPilotSymbols;
    std::vector<KnownBlock> blocks;
    if (layout.hasPilots) {
        for (size_t first = kHeaderSymbols + kPilotInterval * kSlotSymbols;
             first + kPilotSymbols < layout.symbols; first += kPeriod) {
            blocks.push_back({first, kPilots});
        }
    }
    return blocks;
}

Complex NearestOf(const FrameLayout& layout, Complex symbol) {
    if (layout.modcod == nullptr) {
        return {kHalf, kHalf};
    }
    const Point& point = NearestPoint(*layout.modcod, symbol);
    return {point.i, point.q};
}

// How far some of the frame's symbols lie from what may have been sent.
double Misfit(const FrameLayout& layout, std::span<const Complex> symbols, const Carrier& carrier) {
    const size_t count = size_t{layout.slots} * kSlotSymbols;
    // The more points, the less noise there is, and the dearer each symbol.
    const size_t wanted =
        layout.modcod == nullptr ? kTrialSymbolsMost : 4 * kTrialSymbolsMost >> layout.modcod->bitsPerSymbol;
    const size_t stride = std::max<size_t>(1, count / std::max(wanted, kTrialSymbolsLeast));
    double sum = 0;
    size_t index = 0;
    ForEachDataSymbol(layout, [&](size_t at) {
        if (index++ % stride == 0) {
            const Complex symbol = carrier.Correct(symbols[at], static_cast<double>(at));
            sum += std::norm(symbol - NearestOf(layout, symbol));
        }
    });
    return sum;
}

// Where nothing behind the header is known, the nearest points lead on from piece to piece.
void FollowPhase(const FrameLayout& layout, std::span<const Complex> symbols, Carrier& carrier) {
    constexpr unsigned kPiece = 2 * kSlotSymbols;
    Complex sum{0, 0};
    unsigned count = 0;
    ForEachDataSymbol(layout, [&](size_t at) {
        const Complex symbol = carrier.Correct(symbols[at], static_cast<double>(at));
        sum += symbol * std::conj(NearestOf(layout, symbol));
        if (++count % kPiece == 0) {
            carrier.blockMiddles.push_back(static_cast<double>(at) - (kPiece - 1) / 2.0);
            carrier.blockPhases.push_back(carrier.blockPhases.back() + double{std::arg(sum)});
            sum = {0, 0};
        }
    });
}

// Of the noise, by the signal's: where it is not known what was sent, the nearest points stand for it.
double ErrorPower(const FrameLayout& layout, std::span<const Complex> symbols,
                  std::span<const Complex> sent) {
    std::complex<double> product{0, 0};
    double energy = 0;
    double received = 0;
    for (size_t index = 0; index < symbols.size(); ++index) {
        const std::complex<double> symbol{symbols[index]};
        const std::complex<double> ideal{index < sent.size() ? sent[index]
                                                             : NearestOf(layout, symbols[index])};
        product += symbol * std::conj(ideal);
        energy += std::norm(ideal);
        received += std::norm(symbol);
    }
    const double signal = std::norm(product) / energy;
    return std::max(0.0, received - signal) / signal;
}

}  // namespace

std::optional<FrameLayout> LayoutOf(uint8_t pls) {
    if (pls == 0) {
        return FrameLayout{nullptr, kHeaderSymbols + kDummySlots * kSlotSymbols, false, kDummySlots};
    }
    const Modcod& modcod = kModcods[pls];
    if (modcod.code == nullptr) {
        return std::nullopt;
    }
    const unsigned slots = modcod.slots;
    const unsigned pilots = modcod.pilots ? (slots - 1) / kPilotInterval * kPilotSymbols : 0;
    return FrameLayout{&modcod, kHeaderSymbols + slots * kSlotSymbols + pilots, modcod.pilots, slots};
}

FrameDecoder::FrameDecoder(uint32_t goldIndex) : turns_(GoldTurns(goldIndex, kFrameSymbolsMax)) {}

void FrameDecoder::Descramble(std::span<Complex> symbols) const {
    for (size_t symbol = kHeaderSymbols; symbol < symbols.size(); ++symbol) {
        const Complex value = symbols[symbol];
        switch (turns_[symbol - kHeaderSymbols]) {
            case 1:
                symbols[symbol] = {value.imag(), -value.real()};
                break;
            case 2:
                symbols[symbol] = -value;
                break;
            case 3:
                symbols[symbol] = {-value.imag(), value.real()};
                break;
            default:
                break;
        }
    }
}

// Known blocks tell the phase but for whole turns between them: each number of turns is a frequency, and the
// symbols in between tell which is right.
Carrier FrameDecoder::FindCarrier(uint8_t pls, const FrameLayout& layout, std::span<const Complex> symbols,
                                  const std::optional<HeaderMatch>& next, float frequency,
                                  float range) const {
    const auto header = HeaderSymbols(pls);
    const auto nextHeader = HeaderSymbols(next.has_value() ? next->pls : uint8_t{0});
    std::vector<KnownBlock> blocks = PilotBlocks(layout);
    blocks.insert(blocks.begin(), {0, header});
    if (next.has_value()) {
        blocks.push_back({layout.symbols, nextHeader});
    }
    const double spacing =
        blocks.size() > 1 ? static_cast<double>(blocks[1].first - blocks[0].first) : layout.symbols;
    // A lone block says nothing of turns: the symbols alone must tell the frequency, in steps that turn the
    // frame's end by little.
    const double step = (blocks.size() > 1 ? 2 : 0.25) * std::numbers::pi / spacing;
    const int trials = std::min(kTrialsMax, static_cast<int>(std::ceil(range / step)));
    Carrier best;
    double least = -1;
    for (int trial = -trials; trial <= trials; ++trial) {
        const Carrier carrier = MeasureCarrier(symbols, blocks, frequency + static_cast<float>(trial * step));
        const double misfit = trials == 0 ? 0 : Misfit(layout, symbols, carrier);
        if (least < 0 || misfit < least) {
            least = misfit;
            best = carrier;
        }
    }
    if (blocks.size() == 1) {
        FollowPhase(layout, symbols, best);
    }
    return best;
}

DecodedFrame FrameDecoder::Decode(const FrameLayout& layout, std::span<const Complex> symbols,
                                  const Carrier& carrier) {
    DecodedFrame frame;
    frame.symbols.reserve(size_t{layout.slots} * kSlotSymbols);
    ForEachDataSymbol(layout, [&](size_t at) {
        frame.symbols.push_back(carrier.Correct(symbols[at], static_cast<double>(at)));
    });
    if (layout.modcod == nullptr) {
        return frame;
    }
    const Modcod& modcod = *layout.modcod;
    const Code& code = *modcod.code;
    auto& coder = coders_[&code];
    if (coder == nullptr) {
        coder = std::make_unique<Coder>(code);
    }
    std::vector<float> beliefs = Demap(modcod, frame.symbols, carrier.noise);
    const LdpcOutcome inner = coder->inner.Decode(beliefs, kIterationsMax);
    frame.ldpcIterations = inner.iterations;
    std::vector<uint8_t> bits(beliefs.size());
    std::ranges::transform(beliefs, bits.begin(), [](float belief) { return belief < 0 ? 1 : 0; });
    const std::optional<unsigned> corrected = coder->outer.Correct({bits.data(), code.nbch});
    // The inner code may fail in its parity alone.
    const bool isRight = corrected.has_value();
    const std::vector<Complex> sent =
        inner.isWord && isRight ? MapAgain(modcod, bits) : std::vector<Complex>{};
    frame.errorPower = ErrorPower(layout, frame.symbols, sent);
    if (isRight) {
        frame.bitsCorrected = *corrected;
        frame.bbFrame.resize((code.kbch + 7) / 8);
        for (unsigned bit = 0; bit < code.kbch; ++bit) {
            frame.bbFrame[bit / 8] =
                static_cast<uint8_t>(frame.bbFrame[bit / 8] | bits[bit] << (7 - bit % 8));
        }
        DescrambleBits(frame.bbFrame, code.kbch);
    }
    return frame;
}

}  // namespace streamverse::modem::receive
