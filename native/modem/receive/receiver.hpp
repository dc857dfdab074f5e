// A receiver for tests and for watching one's own signal: samples in, BBFRAMEs out. It shares the standard's
// tables with the modulator, and nothing else.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "modem/receive/frame_decoder.hpp"
#include "modem/receive/matched_filter.hpp"

namespace streamverse::modem::receive {

struct ReceiverOptions {
    double samplesPerSymbol;
    double rollOff;
    uint32_t goldIndex = 0;
};

struct ReceivedFrame {
    uint8_t pls;
    std::vector<uint8_t> bbFrame;  // ceil(Kbch / 8) bytes, not scrambled; empty when it could not be decoded
    unsigned ldpcIterations;
    unsigned bitsCorrected;
    double modulationErrorDb;  // MER
};

struct ReceiverTotals {
    uint64_t frames = 0;        // decoded
    uint64_t failedFrames = 0;  // found, but not decoded
    uint64_t dummyFrames = 0;
    uint64_t syncLosses = 0;
    uint64_t symbols = 0;          // of frames of all kinds
    double modulationErrorDb = 0;  // MER over all frames
    double frequencyOffset = 0;    // cycles per symbol
    double samplesPerSymbol = 0;   // as measured
};

// One thread. Nothing that comes in can make it fail.
class Receiver {
 public:
    // Throws std::invalid_argument for options that make no sense.
    explicit Receiver(const ReceiverOptions& options);

    // Appends the frames that these samples complete.
    void Append(std::span<const Point> samples, std::vector<ReceivedFrame>& frames);

    // No more samples come.
    void Finish(std::vector<ReceivedFrame>& frames);

    const ReceiverTotals& totals() const { return totals_; }

    // Some of the last frame's symbols, corrected.
    std::span<const Complex> constellation() const { return constellation_; }

 private:
    MatchedFilter filter_;
    FrameDecoder decoder_;
    std::vector<Point> samples_;
    double nominalStep_;
    double step_;           // samples a symbol
    double time_ = 0;       // of the next header's first symbol, when locked
    double retryTime_ = 0;  // where to search when there is none
    double turnPhase_ = 0;  // of the oscillator that samples are turned back by
    double turnStep_ = 0;   // radians a sample
    float frequency_ = 0;   // what is left, radians a symbol
    bool locked_ = false;
    bool hasFrames_ = false;  // since it locked
    bool isSettled_ = false;  // the frequency is that of the last frame
    bool ended_ = false;
    ReceiverTotals totals_;
    double errorPower_ = 0;  // sum over symbols
    std::vector<Complex> constellation_;

    struct Found {
        double time;
        HeaderMatch match;
    };

    void Work(std::vector<ReceivedFrame>& frames);
    bool Search();
    std::vector<Found> FindAll(size_t symbols) const;
    void Lock(const Found& found);
    bool Track(std::vector<ReceivedFrame>& frames);
    bool Lose();
    std::vector<Complex> Symbols(double time, size_t count, size_t stride = 1) const;
    Carrier Settle(const HeaderMatch& header, const FrameLayout& layout, std::vector<Complex>& symbols);
    double TimingError(const FrameLayout& layout, std::span<const Complex> symbols,
                       const Carrier& carrier) const;
    void Deliver(uint8_t pls, const FrameLayout& layout, DecodedFrame frame,
                 std::vector<ReceivedFrame>& frames);
    void TurnBack(std::span<Point> samples);
    void Drop(double time);
};

}  // namespace streamverse::modem::receive
