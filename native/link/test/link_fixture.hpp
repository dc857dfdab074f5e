// What the tests of the link layer share: options, datagrams, and a listener that keeps what it hears.
#pragma once

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "link/src/ip_datagram.hpp"
#include "link/src/link_decoder.hpp"
#include "link/src/link_encoder.hpp"

namespace streamverse::link::test {

struct Recorder final : Listener {
    std::vector<std::vector<uint8_t>> datagrams;
    std::vector<Damage> damage;
    std::vector<Origin> origins;

    void OnDatagram(const Origin& origin, Bytes datagram) override {
        datagrams.emplace_back(datagram.begin(), datagram.end());
        origins.push_back(origin);
    }
    void OnDamage(const Origin&, Damage kind) override { damage.push_back(kind); }
    size_t Count(Damage kind) const {
        return static_cast<size_t>(std::count(damage.begin(), damage.end(), kind));
    }
};

// Of a length that follows from the index, to one of two groups, in IPv4 or IPv6.
inline std::vector<uint8_t> MakeDatagram(size_t index, size_t payloadBytesMax) {
    std::mt19937 random(static_cast<uint32_t>(index));
    std::vector<uint8_t> payload(index % 5 == 0 ? index % 40 : random() % payloadBytesMax);
    std::generate(payload.begin(), payload.end(), [&] { return static_cast<uint8_t>(random()); });
    const bool isIpv4 = index % 4 != 3;
    UdpEnd source{isIpv4, {10, 0, 0, 1}, 40000};
    UdpEnd destination{isIpv4, {239, 1, 1, static_cast<uint8_t>(index / 7 % 2)}, 3937};
    if (!isIpv4) {
        source.address = {0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
        destination.address = {0xFF, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x2D};
    }
    std::vector<uint8_t> datagram;
    WriteUdpDatagram(source, destination, payload, static_cast<uint16_t>(index), datagram);
    return datagram;
}

inline EncoderOptions TransportOptions(Encapsulation encapsulation) {
    EncoderOptions options;
    TransportStream stream{1001, 9, 7, "StreamVerse", {}, std::nullopt};
    stream.services.push_back({5001, "Kan\u00e1l", "Edge", 256, 4097});
    stream.services.push_back({5002, "Other", "Edge", 257, 4098});
    SatelliteDelivery delivery;
    delivery.frequencyKhz = 11727500;
    delivery.symbolRate = 27500000;
    delivery.orbitalPosition = 192;
    delivery.polarization = 1;
    delivery.modulation = 2;
    delivery.codeRate = 3;
    stream.delivery = delivery;
    options.transport = stream;
    options.encapsulation = encapsulation;
    options.rate = {10'000'000, 1};
    options.queueBytesMax = size_t{16} << 20;
    options.startUtcMs = 1'800'000'000'000;
    return options;
}

inline EncoderOptions WithFrames(EncoderOptions options, uint32_t bits) {
    FrameOptions frames;
    frames.pls = 57;
    frames.bits = bits;
    frames.header.stream =
        options.transport.has_value() ? BbStream::kTransport : BbStream::kGenericContinuous;
    options.frames = frames;
    return options;
}

inline EncoderOptions GseOptions(LabelRule label, uint32_t bits) {
    EncoderOptions options;
    options.label = label;
    options.rate = {10'000'000, 1};
    options.queueBytesMax = size_t{16} << 20;
    return WithFrames(options, bits);
}

inline void Pull(LinkEncoder& encoder, size_t count, std::vector<uint8_t>& units) {
    const size_t from = units.size();
    units.resize(from + count * encoder.unitBytes());
    encoder.Write(count, units.data() + from);
}

// Seven packets, or one frame by mode adaptation L.3, a datagram.
inline void CarryByDatagrams(Bytes units, const LinkEncoder& encoder,
                             const std::function<void(Bytes)>& carry) {
    const size_t bytes = encoder.hasFrames() ? encoder.unitBytes() : 7 * kTsPacketBytes;
    uint8_t number = 0;
    for (size_t at = 0; at < units.size(); at += bytes) {
        const Bytes part = units.subspan(at, std::min(bytes, units.size() - at));
        if (!encoder.hasFrames()) {
            carry(part);
            continue;
        }
        std::vector<uint8_t> datagram = {kModeAdaptationSync, ModeAdaptationCommand(encoder.pls()), 0,
                                         number++};
        datagram.insert(datagram.end(), part.begin(), part.end());
        carry(datagram);
    }
}

}  // namespace streamverse::link::test
