#include "link/src/frame_reader.hpp"

namespace streamverse::link {

namespace {

constexpr uint8_t kAlternating = 3;

}  // namespace

InputStream& FrameReader::StreamOf(uint16_t id, const BbHeader& header) {
    auto& stream = streams_[id];
    if (stream == nullptr) {
        stream = std::make_unique<InputStream>(header);
    }
    return *stream;
}

void FrameReader::Read(Bytes frame, std::optional<uint8_t> pls) {
    if (frame.size() < kBbHeaderBytes) {
        context_.Report({}, Damage::kFrameLength);
        return;
    }
    const auto header = ParseBbHeader(std::span<const uint8_t, kBbHeaderBytes>(frame.data(), kBbHeaderBytes));
    if (!header.has_value()) {
        context_.Report({}, Damage::kFrameCrc);
        return;
    }
    const Origin origin{kNowhere, header->isSingleStream ? kNowhere : uint16_t{header->isi}};
    const size_t bytes = header->dataFieldBits / 8u;
    if (header->dataFieldBits % 8 != 0 || kBbHeaderBytes + bytes > frame.size()) {
        context_.Report(origin, Damage::kFrameLength);
        return;
    }
    ++context_.totals.frames;
    InputStream& stream = StreamOf(origin.inputStream, *header);
    stream.header = *header;
    if (header->rollOff == kAlternating) {
        stream.alternatesRollOff = true;
    } else {
        stream.rollOff = header->rollOff;
    }
    if (pls.has_value()) {
        stream.pls = pls;
    }
    ++stream.frames;
    stream.dataFieldBytes += bytes;
    const auto& wanted = selection_.inputStreams;
    if (!wanted.has_value() || header->isSingleStream || wanted->contains(header->isi)) {
        ReadField(stream, frame.subspan(kBbHeaderBytes, bytes), origin);
    }
}

void FrameReader::ReadField(InputStream& stream, Bytes field, const Origin& origin) {
    switch (stream.header.stream) {
        case BbStream::kGenericContinuous:
        case BbStream::kGseHighEfficiency:
            stream.gse.Read(field, origin, context_);
            break;
        case BbStream::kTransport:
            if (stream.transport == nullptr && transports_ < kTransportStreamsMax) {
                ++transports_;
                stream.transport = std::make_unique<TransportDemux>(context_, selection_, origin.inputStream);
            }
            if (stream.transport != nullptr) {
                stream.userPackets.Read(stream.header, field, origin, context_, *stream.transport);
                break;
            }
            [[fallthrough]];
        case BbStream::kGenericPacketized:
            context_.Report(origin, Damage::kFrameKind);
    }
}

}  // namespace streamverse::link
