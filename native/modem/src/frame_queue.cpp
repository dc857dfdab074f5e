#include "modem/src/frame_queue.hpp"

#include <stdexcept>
#include <utility>

#include "modem/src/frame_modulator.hpp"

namespace streamverse::modem {

FrameQueue::FrameQueue(std::vector<InputStream> streams, size_t bytesMax) : bytesMax_(bytesMax) {
    for (InputStream& stream : streams) {
        const uint32_t kbch = ModcodOf(stream.pls).code->kbch;
        Lane& lane = lanes_.emplace_back();
        if (stream.isTransport) {
            lane.slicer.emplace(kbch / 8 * 8, stream.header, stream.alternatesRollOff);
        }
        lane.options = std::move(stream);
    }
}

bool FrameQueue::Append(size_t stream, std::optional<uint16_t> pls, std::span<const uint8_t> bytes) {
    if (stream >= lanes_.size()) {
        throw std::invalid_argument("there is no such input stream");
    }
    Lane& lane = lanes_[stream];
    const uint16_t modcod = pls.value_or(lane.options.pls);
    const size_t frameBytes = BbFrameBytes(ModcodOf(modcod));
    if (lane.slicer.has_value() && modcod != lane.options.pls) {
        throw std::invalid_argument("a transport stream keeps its MODCOD");
    }
    if (!lane.slicer.has_value() && bytes.size() % frameBytes != 0) {
        throw std::invalid_argument("BBFRAMEs come whole");
    }
    if (bytes_ + bytes.size() > bytesMax_) {
        return false;
    }
    if (lane.slicer.has_value()) {
        Slice(lane, bytes);
    } else {
        Push(lane, modcod, frameBytes, bytes);
    }
    return true;
}

void FrameQueue::Slice(Lane& lane, std::span<const uint8_t> bytes) {
    lane.rest.insert(lane.rest.end(), bytes.begin(), bytes.end());
    const size_t whole = lane.rest.size() / link::kTsPacketBytes * link::kTsPacketBytes;
    const auto end = lane.rest.begin() + static_cast<std::ptrdiff_t>(whole);
    const std::vector<uint8_t> packets(lane.rest.begin(), end);
    lane.rest.erase(lane.rest.begin(), end);
    std::vector<uint8_t> frames;
    lane.slicer->Append(packets, frames);
    Push(lane, lane.options.pls, lane.slicer->frameBytes(), frames);
}

void FrameQueue::Push(Lane& lane, uint16_t pls, size_t frameBytes, std::span<const uint8_t> frames) {
    const size_t wholeBytes = BbFrameBytes(ModcodOf(pls));
    for (size_t at = 0; at < frames.size(); at += frameBytes) {
        const auto frame = frames.subspan(at, frameBytes);
        lane.frames.push_back({pls, {frame.begin(), frame.end()}});
        // VL-SNR's frames may end within a byte, which a transport stream leaves empty.
        lane.frames.back().bytes.resize(wholeBytes);
        bytes_ += wholeBytes;
    }
}

std::optional<QueuedFrame> FrameQueue::Take() {
    for (size_t tried = 0; tried < lanes_.size(); ++tried) {
        Lane& lane = lanes_[turn_];
        turn_ = (turn_ + 1) % lanes_.size();
        if (!lane.frames.empty()) {
            QueuedFrame frame = std::move(lane.frames.front());
            lane.frames.pop_front();
            bytes_ -= frame.bytes.size();
            return frame;
        }
    }
    return std::nullopt;
}

}  // namespace streamverse::modem
