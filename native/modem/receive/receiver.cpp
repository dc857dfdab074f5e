#include "modem/receive/receiver.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "modem/receive/demapper.hpp"

namespace streamverse::modem::receive {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr size_t kSearchSymbols = 33282 + 2 * kHeaderSymbols;  // at least one header is in them
constexpr unsigned kSearchPhases = 4;                          // of a symbol
constexpr size_t kCandidatesMax = 512;
constexpr float kLikenessFound = 0.5f;
constexpr float kLikenessKept = 0.42f;
constexpr float kSearchStep = static_cast<float>(2 * kPi / 180);  // radians a symbol
constexpr int kSearchSteps = 18;
constexpr float kFineStep = 0.0035f;
constexpr int kFineSteps = 6;
constexpr float kFineRange = 0.03f;    // of what a header leaves open
constexpr double kTurnedMost = 0.006;  // beyond which the samples are turned back, before the filter
constexpr double kRateMost = 2e-4;     // of a sender's clock
constexpr double kRateShare = 0.2;     // of a frame's timing error that is taken for the clock's
constexpr unsigned kTimingRounds = 4;
constexpr double kTimingEnough = 0.004;  // symbols
constexpr size_t kTimingSymbols = 8000;
constexpr size_t kConstellationMax = 2000;
constexpr float kSampleMost = 1e6f;

float Tame(float value) {
    return value > -kSampleMost && value < kSampleMost ? value : 0.0f;
}

double Decibel(double errorPower) {
    return -10 * std::log10(std::max(errorPower, 1e-9));
}

}  // namespace

Receiver::Receiver(const ReceiverOptions& options)
    : filter_(options.samplesPerSymbol, options.rollOff),
      decoder_(options.goldIndex),
      nominalStep_(options.samplesPerSymbol),
      step_(options.samplesPerSymbol) {
    totals_.samplesPerSymbol = step_;
}

void Receiver::Append(std::span<const Point> samples, std::vector<ReceivedFrame>& frames) {
    const size_t begin = samples_.size();
    for (const Point& sample : samples) {
        samples_.push_back({Tame(sample.i), Tame(sample.q)});
    }
    TurnBack(std::span<Point>(samples_).subspan(begin));
    Work(frames);
}

void Receiver::Finish(std::vector<ReceivedFrame>& frames) {
    ended_ = true;
    Work(frames);
}

void Receiver::Work(std::vector<ReceivedFrame>& frames) {
    while (locked_ ? Track(frames) : Search()) {
    }
}

void Receiver::TurnBack(std::span<Point> samples) {
    if (turnStep_ == 0) {
        return;
    }
    for (Point& sample : samples) {
        const Complex turned = Complex{sample.i, sample.q} * Complex(std::polar(1.0, -turnPhase_));
        sample = {turned.real(), turned.imag()};
        turnPhase_ = std::remainder(turnPhase_ + turnStep_, 2 * kPi);
    }
}

std::vector<Complex> Receiver::Symbols(double time, size_t count, size_t stride) const {
    std::vector<Complex> symbols;
    symbols.reserve(count / stride + 1);
    for (size_t symbol = 0; symbol < count; symbol += stride) {
        const Point point = filter_.At(samples_, time + static_cast<double>(symbol) * step_);
        symbols.emplace_back(point.i, point.q);
    }
    return symbols;
}

// Answers whether to go on.
bool Receiver::Search() {
    const double reach = static_cast<double>(filter_.reach());
    const auto available = static_cast<size_t>(
        std::max(0.0, (static_cast<double>(samples_.size()) - (ended_ ? 0 : reach)) / step_));
    if (available < kHeaderSymbols || (!ended_ && available < kSearchSymbols)) {
        return false;
    }
    const size_t symbols = std::min(available, kSearchSymbols);
    std::vector<Found> all = FindAll(symbols);
    if (all.empty()) {
        // What a header that is cut here has of its first symbols stays.
        Drop(static_cast<double>(symbols - kHeaderSymbols + 1) * step_);
        return true;
    }
    const double first = std::ranges::min(all, {}, &Found::time).time;
    std::erase_if(all, [&](const Found& each) { return each.time > first + 3 * step_; });
    Lock(std::ranges::max(all, {}, [](const Found& each) { return each.match.likeness; }));
    return true;
}

std::vector<Receiver::Found> Receiver::FindAll(size_t symbols) const {
    std::vector<Found> all;
    for (unsigned phase = 0; phase < kSearchPhases; ++phase) {
        const double begin = phase * step_ / kSearchPhases;
        const std::vector<Complex> some = Symbols(begin, symbols);
        for (const HeaderCandidate& candidate : FindHeaders(some, kCandidatesMax)) {
            const HeaderMatch match =
                MatchHeader(std::span<const Complex>(some).subspan(candidate.symbol, kHeaderSymbols),
                            candidate.frequency, kSearchStep, kSearchSteps);
            if (match.likeness >= kLikenessFound && LayoutOf(match.pls).has_value()) {
                all.push_back({begin + static_cast<double>(candidate.symbol) * step_, match});
            }
        }
    }
    return all;
}

void Receiver::Lock(const Found& found) {
    time_ = found.time;
    frequency_ = found.match.frequency;
    if (std::abs(frequency_) > kTurnedMost) {
        const double more = frequency_ / step_;
        turnStep_ += more;
        double phase = 0;
        for (Point& sample : samples_) {
            const Complex turned = Complex{sample.i, sample.q} * Complex(std::polar(1.0, -phase));
            sample = {turned.real(), turned.imag()};
            phase = std::remainder(phase + more, 2 * kPi);
        }
        turnPhase_ += phase;
        frequency_ = 0;
    }
    HeaderMatch best;
    const double middle = time_;
    for (int eighth = -3; eighth <= 3; ++eighth) {
        const double time = middle + eighth * step_ / 8;
        const HeaderMatch match =
            MatchHeader(Symbols(time, kHeaderSymbols), frequency_, kFineStep, kFineSteps);
        if (match.likeness > best.likeness) {
            best = match;
            time_ = time;
        }
    }
    frequency_ = best.likeness > 0 ? best.frequency : frequency_;
    locked_ = true;
    isSettled_ = hasFrames_ = false;
}

// The search begins anew.
bool Receiver::Lose() {
    const double from = hasFrames_ ? retryTime_ : time_ + kHeaderSymbols * step_;
    totals_.syncLosses += hasFrames_ ? 1 : 0;
    locked_ = hasFrames_ = false;
    Drop(from);
    return true;
}

bool Receiver::Track(std::vector<ReceivedFrame>& frames) {
    const auto end = [&](size_t symbols) {
        return time_ + static_cast<double>(symbols) * step_ +
               (ended_ ? 0 : static_cast<double>(filter_.reach()));
    };
    const auto size = static_cast<double>(samples_.size());
    if (end(kHeaderSymbols) > size) {
        return false;
    }
    const HeaderMatch header =
        MatchHeader(Symbols(time_, kHeaderSymbols), frequency_, kFineStep, isSettled_ ? 1 : 2);
    const auto layout = LayoutOf(header.pls);
    if (header.likeness < kLikenessKept || !layout.has_value()) {
        return Lose();
    }
    if (end(layout->symbols + (ended_ ? 0 : kHeaderSymbols)) > size) {
        return false;
    }
    std::vector<Complex> symbols;
    const Carrier carrier = Settle(header, *layout, symbols);
    DecodedFrame frame = decoder_.Decode(*layout, symbols, carrier);
    hasFrames_ = true;
    // Where nothing comes out the frequency may be another.
    isSettled_ = layout->modcod == nullptr || !frame.bbFrame.empty();
    Deliver(header.pls, *layout, std::move(frame), frames);
    // Within a frame that came to nothing the next may have begun: samples may have been lost.
    const double frameTime = time_;
    time_ += layout->symbols * step_;
    retryTime_ = isSettled_ ? time_ - 2 * step_ : frameTime + kHeaderSymbols * step_;
    Drop(retryTime_ - static_cast<double>(filter_.reach()));
    return true;
}

// Timing and carrier of a frame, each by the other's help: `symbols` come out descrambled, at their middles.
Carrier Receiver::Settle(const HeaderMatch& header, const FrameLayout& layout,
                         std::vector<Complex>& symbols) {
    const double before = time_;
    Carrier carrier;
    float range = isSettled_ ? 1e-6f : kFineRange;
    for (unsigned round = 0; round < kTimingRounds; ++round) {
        symbols = Symbols(time_, layout.symbols + kHeaderSymbols);
        const std::span<Complex> frame = std::span(symbols).first(layout.symbols);
        decoder_.Descramble(frame);
        std::optional<HeaderMatch> next =
            MatchHeader(std::span<const Complex>(symbols).subspan(layout.symbols), frequency_, kFineStep, 2);
        if (next->likeness < kLikenessKept) {
            next.reset();
        }
        carrier = decoder_.FindCarrier(header.pls, layout, symbols, next, frequency_, range);
        if (carrier.blockPhases.size() > 1) {
            const double turns = carrier.blockPhases.back() - carrier.blockPhases.front();
            frequency_ =
                carrier.frequency +
                static_cast<float>(turns / (carrier.blockMiddles.back() - carrier.blockMiddles.front()));
        } else {
            frequency_ = carrier.frequency;
        }
        range = 0;
        const double error = TimingError(layout, frame, carrier);
        if (std::abs(error) < kTimingEnough || round + 1 == kTimingRounds) {
            break;
        }
        time_ -= std::clamp(error, -0.25, 0.25) * step_;
    }
    if (isSettled_) {
        const double drift = (time_ - before) / layout.symbols;
        step_ = std::clamp(step_ + kRateShare * drift, nominalStep_ * (1 - kRateMost),
                           nominalStep_ * (1 + kRateMost));
    }
    return carrier;
}

// Symbols by which `time_` is late: by how much more the signal is like what was sent a quarter symbol before
// a symbol's middle than behind it. Nearest points stand for what was sent.
double Receiver::TimingError(const FrameLayout& layout, std::span<const Complex> symbols,
                             const Carrier& carrier) const {
    const size_t stride = std::max<size_t>(1, symbols.size() / kTimingSymbols);
    const auto late = Symbols(time_ + step_ / 4, symbols.size(), stride);
    const auto early = Symbols(time_ - step_ / 4, symbols.size(), stride);
    std::vector<Complex> difference(symbols.size());
    for (size_t index = 0; index < late.size(); ++index) {
        difference[index * stride] = late[index] - early[index];
    }
    decoder_.Descramble(difference);
    double sum = 0;
    double energy = 0;
    ForEachDataSymbol(layout, [&](size_t at) {
        if (at % stride != 0) {
            return;
        }
        const Complex symbol = carrier.Correct(symbols[at], static_cast<double>(at));
        constexpr float kHalf = 0.70710678f;
        const Point point =
            layout.modcod == nullptr ? Point{kHalf, kHalf} : NearestPoint(*layout.modcod, symbol);
        const Complex change = carrier.Correct(difference[at], static_cast<double>(at));
        sum += change.real() * point.i + change.imag() * point.q;
        energy += point.i * point.i + point.q * point.q;
    });
    return energy > 0 ? sum / energy / filter_.timingSlope() : 0;
}

void Receiver::Deliver(uint8_t pls, const FrameLayout& layout, DecodedFrame frame,
                       std::vector<ReceivedFrame>& frames) {
    totals_.symbols += layout.symbols;
    totals_.samplesPerSymbol = step_;
    totals_.frequencyOffset = (turnStep_ * step_ + frequency_) / (2 * kPi);
    if (layout.modcod == nullptr) {
        ++totals_.dummyFrames;
        return;
    }
    ++(frame.bbFrame.empty() ? totals_.failedFrames : totals_.frames);
    errorPower_ += frame.errorPower;
    totals_.modulationErrorDb =
        Decibel(errorPower_ / static_cast<double>(totals_.frames + totals_.failedFrames));
    const size_t stride = frame.symbols.size() / kConstellationMax + 1;
    constellation_.clear();
    for (size_t symbol = 0; symbol < frame.symbols.size(); symbol += stride) {
        constellation_.push_back(frame.symbols[symbol]);
    }
    frames.push_back({pls, std::move(frame.bbFrame), frame.ldpcIterations, frame.bitsCorrected,
                      Decibel(frame.errorPower)});
}

// What lies before `time` is not needed any more.
void Receiver::Drop(double time) {
    const size_t count = std::min(samples_.size(), static_cast<size_t>(std::max(0.0, time)));
    samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(count));
    time_ -= static_cast<double>(count);
    retryTime_ -= static_cast<double>(count);
}

}  // namespace streamverse::modem::receive
