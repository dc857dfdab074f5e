#include "modem/src/transmit_chain.hpp"

#include <algorithm>
#include <stdexcept>

#include "modem/src/vl_snr.hpp"

namespace streamverse::modem {

TransmitChain::TransmitChain(const ChainOptions& options)
    : options_(options), modcod_(ModcodOf(options.pls)), modulator_(options.goldIndex) {
    if (options.isTransport) {
        slicer_.emplace(modcod_.code->kbch / 8 * 8, options.header, options.alternatesRollOff);
    }
    if (options.stage == Stage::kSamples) {
        if (!options.shape.has_value()) {
            throw std::invalid_argument("samples need a shape");
        }
        shaper_.emplace(*options.shape);
    }
}

std::vector<uint8_t> TransmitChain::Write(std::span<const uint8_t> bytes) {
    waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
    std::vector<uint8_t> output;
    if (slicer_.has_value()) {
        const size_t whole = waiting_.size() / link::kTsPacketBytes * link::kTsPacketBytes;
        Slice({waiting_.data(), whole}, false, output);
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(whole));
        return output;
    }
    while (waiting_.size() * 8 >= takenBits_ + modcod_.code->kbch) {
        WriteFrame(TakeFrame(), output);
    }
    return output;
}

std::vector<uint8_t> TransmitChain::Finish() {
    // Frames that end within a byte leave the rest of it.
    const size_t left = takenBits_ > 0 ? waiting_.size() - 1 : waiting_.size();
    if (left > 0) {
        throw std::invalid_argument("the input ends within a packet or frame");
    }
    std::vector<uint8_t> output;
    if (slicer_.has_value()) {
        Slice({}, true, output);
    }
    if (begunBits_ > 0) {
        output.push_back(begun_);
    }
    if (shaper_.has_value()) {
        const std::vector<Point> silence(shaper_->spanSymbols(), Point{0, 0});
        std::vector<Point> samples;
        shaper_->Append(silence, samples);
        WritePoints(samples, output);
    }
    return output;
}

void TransmitChain::Slice(std::span<const uint8_t> packets, bool isLast, std::vector<uint8_t>& output) {
    std::vector<uint8_t> frames;
    slicer_->Append(packets, frames);
    if (isLast) {
        slicer_->Finish(frames);
    }
    for (size_t at = 0; at < frames.size(); at += slicer_->frameBytes()) {
        std::vector<uint8_t> frame(frames.begin() + static_cast<std::ptrdiff_t>(at),
                                   frames.begin() + static_cast<std::ptrdiff_t>(at + slicer_->frameBytes()));
        frame.resize(BbFrameBytes(modcod_));
        WriteFrame(frame, output);
    }
}

// Frames lie in the input without gaps.
std::vector<uint8_t> TransmitChain::TakeFrame() {
    std::vector<uint8_t> frame(BbFrameBytes(modcod_));
    const unsigned bits = modcod_.code->kbch;
    for (unsigned byte = 0; byte < frame.size(); ++byte) {
        const unsigned next = byte + 1 < waiting_.size() ? waiting_[byte + 1] : 0u;
        const unsigned pair = unsigned{waiting_[byte]} << 8 | next;
        frame[byte] = static_cast<uint8_t>(pair >> (8 - takenBits_));
    }
    if (bits % 8 != 0) {
        frame.back() = static_cast<uint8_t>(frame.back() & (0xFF00 >> bits % 8));
    }
    const unsigned end = takenBits_ + bits;
    waiting_.erase(waiting_.begin(), waiting_.begin() + end / 8);
    takenBits_ = end % 8;
    return frame;
}

void TransmitChain::AppendBits(std::span<const uint8_t> bytes, size_t bits, std::vector<uint8_t>& output) {
    if (begunBits_ == 0 && bits % 8 == 0) {
        output.insert(output.end(), bytes.begin(), bytes.end());
        return;
    }
    for (size_t bit = 0; bit < bits; ++bit) {
        const unsigned value = (bytes[bit / 8] >> (7 - bit % 8)) & 1u;
        begun_ = static_cast<uint8_t>(begun_ | value << (7 - begunBits_));
        if (++begunBits_ == 8) {
            output.push_back(begun_);
            begun_ = 0;
            begunBits_ = 0;
        }
    }
}

void TransmitChain::WriteFrame(std::span<const uint8_t> frame, std::vector<uint8_t>& output) {
    const Code& code = *modcod_.code;
    const bool wantsSymbols = options_.stage >= Stage::kPlFrame;
    points_.clear();
    modulator_.Modulate(options_.pls, frame, points_, wantsSymbols ? nullptr : &stages_);
    ++frames_;
    symbols_ += points_.size();
    switch (options_.stage) {
        case Stage::kBbFrame:
            return AppendBits(frame, code.kbch, output);
        case Stage::kScrambled:
            return AppendBits(stages_.scrambled, code.kbch, output);
        case Stage::kBch:
            return AppendBits(stages_.bch, code.nbch, output);
        case Stage::kLdpc:
            return AppendBits(stages_.ldpc, code.nldpc, output);
        case Stage::kLabels:
            return AppendBits(stages_.labels, stages_.labels.size() * 8, output);
        case Stage::kXfecFrame:
            points_.clear();
            for (unsigned symbol = 0; symbol < stages_.labels.size(); ++symbol) {
                const uint8_t label = stages_.labels[symbol];
                points_.push_back(modcod_.vlSnr == nullptr ? modcod_.points[label]
                                                           : VlSnrPoint(*modcod_.vlSnr, symbol, label));
            }
            return WritePoints(points_, output);
        case Stage::kPlFrame:
            return WritePoints(points_, output);
        case Stage::kSamples: {
            std::vector<Point> samples;
            shaper_->Append(points_, samples);
            return WritePoints(samples, output);
        }
    }
}

void TransmitChain::WritePoints(std::span<const Point> points, std::vector<uint8_t>& output) const {
    FormatSamples(points, options_.format, output);
}

}  // namespace streamverse::modem
