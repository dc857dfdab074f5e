#include "modem/src/transmit_chain.hpp"

#include <algorithm>
#include <stdexcept>

namespace streamverse::modem {

TransmitChain::TransmitChain(const ChainOptions& options)
    : options_(options), modcod_(ModcodOf(options.pls)), modulator_(options.goldIndex) {
    if (options.isTransport) {
        slicer_.emplace(modcod_.code->kbch, options.header, options.alternatesRollOff);
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
    const size_t unit = slicer_.has_value() ? size_t{link::kTsPacketBytes} : size_t{modcod_.code->kbch} / 8;
    const size_t whole = waiting_.size() / unit * unit;
    const std::span<const uint8_t> units(waiting_.data(), whole);
    std::vector<uint8_t> output;
    if (slicer_.has_value()) {
        std::vector<uint8_t> frames;
        slicer_->Append(units, frames);
        WriteFrames(frames, output);
    } else {
        WriteFrames(units, output);
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(whole));
    return output;
}

std::vector<uint8_t> TransmitChain::Finish() {
    if (!waiting_.empty()) {
        throw std::invalid_argument("the input ends within a packet or frame");
    }
    std::vector<uint8_t> output;
    if (slicer_.has_value()) {
        std::vector<uint8_t> frames;
        slicer_->Finish(frames);
        WriteFrames(frames, output);
    }
    if (shaper_.has_value()) {
        const std::vector<Point> silence(shaper_->spanSymbols(), Point{0, 0});
        std::vector<Point> samples;
        shaper_->Append(silence, samples);
        WritePoints(samples, output);
    }
    return output;
}

void TransmitChain::WriteFrames(std::span<const uint8_t> frames, std::vector<uint8_t>& output) {
    const size_t bytes = modcod_.code->kbch / 8;
    for (size_t at = 0; at < frames.size(); at += bytes) {
        WriteFrame(frames.subspan(at, bytes), output);
    }
}

void TransmitChain::WriteFrame(std::span<const uint8_t> frame, std::vector<uint8_t>& output) {
    const auto append = [&](std::span<const uint8_t> bytes) {
        output.insert(output.end(), bytes.begin(), bytes.end());
    };
    const bool wantsSymbols = options_.stage >= Stage::kPlFrame;
    points_.clear();
    modulator_.Modulate(options_.pls, frame, points_, wantsSymbols ? nullptr : &stages_);
    ++frames_;
    symbols_ += points_.size();
    switch (options_.stage) {
        case Stage::kBbFrame:
            return append(frame);
        case Stage::kScrambled:
            return append(stages_.scrambled);
        case Stage::kBch:
            return append(stages_.bch);
        case Stage::kLdpc:
            return append(stages_.ldpc);
        case Stage::kLabels:
            return append(stages_.labels);
        case Stage::kXfecFrame:
            points_.clear();
            for (const uint8_t label : stages_.labels) {
                points_.push_back(modcod_.points[label]);
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
