// Reads a carrier from UDP, a file or JavaScript, and gives its datagrams to their groups and to JavaScript.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "link/src/datagram_batch.hpp"
#include "link/src/datagram_emitter.hpp"
#include "link/src/link_decoder.hpp"
#include "packet/src/udp_receiver.hpp"

namespace streamverse::link {

struct UdpInput {
    packet::Endpoint endpoint;
    int receiveBufferBytes = 0;
};
struct FileInput {
    std::string path;
};
struct WrittenInput {};
using LinkInput = std::variant<UdpInput, FileInput, WrittenInput>;

struct DecapsulatorOptions {
    LinkInput input;
    size_t frameBytes = 0;
    Selection selection;
    std::optional<packet::SenderOptions> emit;
    bool givesDatagrams = false;
};

struct DecapsulatorStats {
    DecoderTotals totals;
    EmitterCounters emitter;
    uint64_t kernelDrops = 0;
    uint64_t dropped = 0;
};

class DecapsulatorThread final : private Listener {
 public:
    // How it ended: without an error at the end of a file.
    using OnEnd = std::function<void(const packet::SystemError* error)>;

    // Throws packet::SystemError. Both are called on the thread: `onBatch` when the first datagram waits.
    DecapsulatorThread(DecapsulatorOptions options, std::function<void()> onBatch, OnEnd onEnd);
    ~DecapsulatorThread() override { Stop(); }
    DecapsulatorThread(const DecapsulatorThread&) = delete;
    DecapsulatorThread& operator=(const DecapsulatorThread&) = delete;

    // Any thread. Of WrittenInput: false when so much waits that the caller has to come again.
    bool Write(Bytes bytes);
    DatagramBatch Take();
    DecapsulatorStats stats() const;
    // With the decoder, while its thread waits.
    void Look(const std::function<void(const LinkDecoder&)>& look) const;
    void Stop();

    static constexpr size_t kWaitingBytesMax = size_t{16} << 20;

 private:
    const DecapsulatorOptions options_;
    std::function<void()> onBatch_;
    OnEnd onEnd_;
    std::unique_ptr<packet::UdpReceiver> sockets_;
    std::optional<DatagramEmitter> emitter_;
    packet::Descriptor wake_;

    mutable std::mutex decoderMutex_;
    LinkDecoder decoder_;
    EmitterCounters emitted_;
    uint64_t kernelDrops_ = 0;

    mutable std::mutex mutex_;
    std::vector<uint8_t> written_;
    DatagramBatch batch_;
    uint64_t dropped_ = 0;
    bool isBatchNew_ = false;

    std::atomic<bool> stopping_{false};
    std::mutex stopMutex_;
    std::thread thread_;

    void Run();
    void ReadSockets();
    void ReadFile();
    void ReadWritten();
    template <typename Work>
    void Decode(Work&& work);
    void OnDatagram(const Origin& origin, Bytes datagram) override;
    void OnDamage(const Origin&, Damage) override {}
};

}  // namespace streamverse::link
