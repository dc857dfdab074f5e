// From a transport stream or BBFRAMEs to any stage of the transmit chain, in portions: what `streamverse
// modem` writes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "link/src/bb_frame.hpp"
#include "modem/src/frame_modulator.hpp"
#include "modem/src/pulse_shaper.hpp"
#include "modem/src/sample_format.hpp"

namespace streamverse::modem {

// In the order of the chain. Bits are packed, frames without gaps; labels are bytes; symbols and samples are
// points.
enum class Stage : uint8_t { kBbFrame, kScrambled, kBch, kLdpc, kLabels, kXfecFrame, kPlFrame, kSamples };

struct ChainOptions {
    uint16_t pls;
    uint32_t goldIndex = 0;
    Stage stage = Stage::kPlFrame;
    bool isTransport = true;  // input; else BBFRAMEs
    link::BbHeader header;    // of a transport stream's frames
    bool alternatesRollOff = false;
    std::optional<Shape> shape;  // of samples
    SampleFormat format = SampleFormat::kFloat;
};

// One thread.
class TransmitChain {
 public:
    // Throws std::invalid_argument for options that make no sense.
    explicit TransmitChain(const ChainOptions& options);

    // Any number of bytes; what is not a whole packet or frame waits for more. Throws std::invalid_argument
    // for a transport stream out of step.
    std::vector<uint8_t> Write(std::span<const uint8_t> bytes);

    // The rest: a last frame with padding, and what the filter holds. Throws std::invalid_argument when a
    // part of a packet or frame is left.
    std::vector<uint8_t> Finish();

    uint64_t frames() const { return frames_; }
    uint64_t symbols() const { return symbols_; }

 private:
    ChainOptions options_;
    const Modcod& modcod_;
    FrameModulator modulator_;
    std::optional<link::TransportSlicer> slicer_;
    std::optional<PulseShaper> shaper_;
    std::vector<uint8_t> waiting_;
    unsigned takenBits_ = 0;  // of the first byte that waits: VL-SNR's frames may end within one
    uint8_t begun_ = 0;       // the output's last byte, where it is not full
    unsigned begunBits_ = 0;
    std::vector<Point> points_;
    Stages stages_;
    uint64_t frames_ = 0;
    uint64_t symbols_ = 0;

    void AppendBits(std::span<const uint8_t> bytes, size_t bits, std::vector<uint8_t>& output);
    std::vector<uint8_t> TakeFrame();
    void Slice(std::span<const uint8_t> packets, bool isLast, std::vector<uint8_t>& output);
    void WriteFrame(std::span<const uint8_t> frame, std::vector<uint8_t>& output);
    void WritePoints(std::span<const Point> points, std::vector<uint8_t>& output) const;
};

}  // namespace streamverse::modem
