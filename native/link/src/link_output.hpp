// Where the units of a carrier go: UDP, RTP, mode adaptation L.3, a file or FIFO, or JavaScript.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "link/src/byte_order.hpp"
#include "link/src/link_rate.hpp"
#include "packet/src/descriptor.hpp"
#include "packet/src/udp_sender.hpp"

namespace streamverse::link {

// One thread.
class LinkOutput {
 public:
    virtual ~LinkOutput() = default;
    // So many units make one portion.
    virtual size_t portionUnits() const { return 1; }
    // Whole portions, of which the first begins `ns` after the stream's beginning. Answers how many bytes
    // were lost. Throws packet::SystemError when it cannot go on.
    virtual uint64_t Write(Bytes units, int64_t ns, const std::atomic<bool>& stopping) = 0;
};

struct UdpOutputOptions {
    std::string group;
    uint16_t port = 0;
    std::string interfaceAddress;
    int ttl = 1;
    bool isRtp = false;
    LinkRate rate;  // by which RTP's timestamps go
    // Of BBFRAMEs; 0: TS packets.
    size_t frameBytes = 0;
    uint8_t pls = 0;
};

// Throws packet::SystemError.
std::unique_ptr<LinkOutput> MakeUdpOutput(const UdpOutputOptions& options);
std::unique_ptr<LinkOutput> MakeFileOutput(std::string path);

// Keeps bytes until somebody takes them, up to a limit.
class BytesOutput final : public LinkOutput {
 public:
    // `onReady` when the first bytes wait.
    explicit BytesOutput(std::function<void()> onReady) : onReady_(std::move(onReady)) {}
    uint64_t Write(Bytes units, int64_t ns, const std::atomic<bool>& stopping) override;
    // Any thread.
    std::vector<uint8_t> Take();

    static constexpr size_t kBytesMax = size_t{4} << 20;

 private:
    std::function<void()> onReady_;
    std::mutex mutex_;
    std::vector<uint8_t> bytes_;
};

}  // namespace streamverse::link
