#include "link/src/link_encoder.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "link/src/ip_datagram.hpp"

namespace streamverse::link {

namespace {

constexpr uint8_t kAlternating = 3;

// Of the packets in frames: their share of the bits.
LinkRate PacketRate(const LinkRate& rate, const std::optional<FrameOptions>& frames) {
    if (!frames.has_value()) {
        return rate;
    }
    __extension__ using Wide = unsigned __int128;
    const uint64_t field = frames->bits - 8 * kBbHeaderBytes;
    return {static_cast<uint64_t>(static_cast<Wide>(rate.bits) * field / frames->bits), rate.seconds};
}

}  // namespace

LinkEncoder::LinkEncoder(const EncoderOptions& options) : frames_(options.frames) {
    if (frames_.has_value()) {
        // By which what fits no header is refused for GSE too.
        slicer_.emplace(frames_->bits, frames_->header, frames_->alternatesRollOff);
        unitBytes_ = slicer_->frameBytes();
    }
    if (options.transport.has_value()) {
        transport_.emplace(*options.transport, options.encapsulation, PacketRate(options.rate, frames_),
                           options.queueBytesMax, options.startUtcMs);
    } else if (frames_.has_value()) {
        gse_.emplace(options.label, options.isLite, options.queueBytesMax);
    } else {
        throw std::invalid_argument("GSE goes in BBFRAMEs");
    }
}

Pushed LinkEncoder::Push(uint16_t serviceId, Bytes datagram) {
    const auto outline = OutlineOf(datagram);
    if (!outline.has_value()) {
        return Pushed::kRefused;
    }
    const Bytes whole = datagram.first(outline->bytes);
    if (transport_.has_value()) {
        if (!transport_->Takes(serviceId, whole.size())) {
            return Pushed::kRefused;
        }
        return transport_->Push(serviceId, whole) ? Pushed::kTaken : Pushed::kDropped;
    }
    if (!gse_->Takes(whole.size())) {
        return Pushed::kRefused;
    }
    return gse_->queue().Push(whole) ? Pushed::kTaken : Pushed::kDropped;
}

void LinkEncoder::WriteSlicedFrame(uint8_t* output) {
    packets_.resize(kTsPacketBytes);
    while (sliced_.empty()) {
        transport_->WritePacket(packets_.data());
        slicer_->Append(packets_, sliced_);
    }
    std::memcpy(output, sliced_.data(), unitBytes_);
    sliced_.erase(sliced_.begin(), sliced_.begin() + static_cast<std::ptrdiff_t>(unitBytes_));
}

void LinkEncoder::WriteGseFrame(std::span<uint8_t> frame) {
    const std::span<uint8_t> field = frame.subspan(kBbHeaderBytes);
    const size_t filled = gse_->Fill(field, totals_);
    // Behind the data field is the stream adaptation's padding (EN 302 307-1, 5.2.1); a frame in which
    // nothing waits is all padding.
    std::memset(field.data() + filled, 0, field.size() - filled);
    totals_.stuffingBytes += field.size() - filled;
    BbHeader header = frames_->header;
    header.dataFieldBits = static_cast<uint16_t>(filled * 8);
    if (frames_->alternatesRollOff && units_ % 2 == 0) {
        header.rollOff = kAlternating;
    }
    const auto bytes = FormatBbHeader(header);
    std::copy(bytes.begin(), bytes.end(), frame.begin());
}

void LinkEncoder::Write(size_t units, uint8_t* output) {
    for (size_t unit = 0; unit < units; ++unit, output += unitBytes_) {
        if (gse_.has_value()) {
            WriteGseFrame({output, unitBytes_});
        } else if (frames_.has_value()) {
            WriteSlicedFrame(output);
        } else {
            transport_->WritePacket(output);
        }
        ++units_;
    }
}

LayerTotals LinkEncoder::totals() const {
    LayerTotals totals = transport_.has_value() ? transport_->totals() : totals_;
    totals.units = units_;
    totals.carrierBytes = units_ * unitBytes_;
    return totals;
}

size_t LinkEncoder::queuedBytes() const {
    return transport_.has_value() ? transport_->queuedBytes() : gse_->queue().bytes();
}

}  // namespace streamverse::link
