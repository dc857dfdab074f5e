// A receiver core over a temporary directory, with an injected clock and hashing done at once.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "flute/src/receiver_core.hpp"
#include "flute/test/packet_builder.hpp"

namespace streamverse::flute::test {

class CoreFixture {
 public:
    explicit CoreFixture(ReceiveLimits limits = {}, const std::vector<uint64_t>& tsis = {}) {
        std::string pattern = (std::filesystem::temp_directory_path() / "flute-core-XXXXXX").string();
        settings.directory = ::mkdtemp(pattern.data());
        settings.limits = limits;
        core = std::make_unique<ReceiverCore>(settings, queue, views,
                                              [this](const std::shared_ptr<HashJob>& job) {
                                                  HashResult result;
                                                  std::vector<uint8_t> buffer(65536);
                                                  if (job->Work(buffer, result)) {
                                                      hashed.push_back(result);
                                                  }
                                              });
        group = &core->Listen("239.1.1.1", 5001, tsis);
    }
    ~CoreFixture() {
        core.reset();
        std::filesystem::remove_all(settings.directory);
    }
    CoreFixture(const CoreFixture&) = delete;
    CoreFixture& operator=(const CoreFixture&) = delete;

    void Feed(const Octets& datagram) {
        core->OnDatagram(*group, datagram, now);
        Settle();
    }
    void Settle() {
        core->EndBatch(now);
        while (!hashed.empty()) {
            const HashResult result = hashed.back();
            hashed.pop_back();
            core->OnHash(result);
        }
        for (ReceiveEvent& event : queue.Take()) {
            events.push_back(std::move(event));
        }
    }
    void Wait(int64_t ms) {
        now.monotonicMs += ms;
        now.unixMs += ms;
        core->OnTimer(now);
        Settle();
    }
    template <typename Event>
    std::vector<Event> All() const {
        std::vector<Event> found;
        for (const ReceiveEvent& event : events) {
            if (const auto* match = std::get_if<Event>(&event)) {
                found.push_back(*match);
            }
        }
        return found;
    }
    static Octets ReadFile(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    [[nodiscard]] std::string Fdt(const std::string& files, int64_t livesMs = 60'000) const {
        return "<FDT-Instance xmlns=\"urn:IETF:metadata:2005:FLUTE:FDT\" Expires=\"" +
               std::to_string((now.unixMs + livesMs) / 1000 + 2208988800LL) + "\">" + files +
               "</FDT-Instance>";
    }

    Now now{1000, 1'700'000'000'000};
    ReceiveSettings settings;
    EventQueue queue{[] {}};
    ObjectViews views;
    std::vector<HashResult> hashed;
    std::vector<ReceiveEvent> events;
    std::unique_ptr<ReceiverCore> core;
    SessionGroup* group = nullptr;
};

// A File element with FEC-OTI attributes.
inline std::string File(uint64_t toi, uint64_t length, const std::string& more = "", int encodingId = 0,
                        uint32_t symbolBytes = 100, uint32_t blockMax = 10) {
    return "<File TOI=\"" + std::to_string(toi) + "\" Content-Location=\"http://dvb.gw/" +
           std::to_string(toi) + "\" Content-Length=\"" + std::to_string(length) +
           "\" FEC-OTI-FEC-Encoding-ID=\"" + std::to_string(encodingId) +
           "\" FEC-OTI-Encoding-Symbol-Length=\"" + std::to_string(symbolBytes) +
           "\" FEC-OTI-Maximum-Source-Block-Length=\"" + std::to_string(blockMax) + "\" " + more + "/>";
}

inline Octets Noise(size_t size, uint32_t seed) {
    Octets bytes(size);
    for (uint8_t& byte : bytes) {
        seed = seed * 1664525 + 1013904223;
        byte = static_cast<uint8_t>(seed >> 24);
    }
    return bytes;
}

// The datagrams of an object under FEC id 0, one symbol each.
inline std::vector<Octets> Packets(const Octets& object, uint64_t toi, uint32_t symbolBytes = 100,
                                   uint32_t blockMax = 10, bool close = true) {
    const auto partition = *Partition::Of({0, object.size(), symbolBytes, blockMax});
    std::vector<Octets> packets;
    for (uint64_t symbol = 0; symbol < partition.symbols(); ++symbol) {
        const uint64_t block = partition.BlockOf(symbol);
        const auto id = static_cast<uint32_t>(block << 16 | (symbol - partition.FirstSymbol(block)));
        PacketShape shape;
        shape.toi = toi;
        shape.flags = close && symbol + 1 == partition.symbols() ? 1 : 0;
        const auto begin = object.begin() + static_cast<std::ptrdiff_t>(symbol * symbolBytes);
        packets.push_back(BuildPacket(shape, id, Octets(begin, begin + partition.SymbolLength(symbol))));
    }
    return packets;
}

}  // namespace streamverse::flute::test
