// Sends prepared FLUTE packets as fast as the receiver takes them, with UDP GSO.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace streamverse::flute {

constexpr char kGroup[] = "239.255.77.77";

class Blaster {
 public:
    Blaster(size_t objects, size_t objectBytes);
    // A window bounds what is sent and not yet counted by `received`.
    void Send(uint16_t port, const std::function<uint64_t()>& received) const;

    [[nodiscard]] uint64_t packets() const { return packets_; }
    [[nodiscard]] uint64_t objects() const { return objects_; }
    [[nodiscard]] uint64_t payloadBytes() const { return payloadBytes_; }

 private:
    size_t objects_;
    uint64_t packets_ = 0;
    uint64_t payloadBytes_ = 0;
    std::vector<uint8_t> fdt_;
    std::vector<uint8_t> bytes_;  // all packets of all objects, of one length
};

}  // namespace streamverse::flute
