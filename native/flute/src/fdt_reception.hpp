// Assembles the FDT instances of one session and tells those that say something new.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flute/src/lct_packet.hpp"
#include "flute/src/receive_context.hpp"

namespace streamverse::flute {

struct FdtBody {
    uint32_t instanceId = 0;
    std::string xml;
    std::optional<int64_t> senderTimeMs;
};

class FdtReception {
 public:
    explicit FdtReception(ReceiveContext& context) : context_(context) {}
    ~FdtReception();
    FdtReception(const FdtReception&) = delete;
    FdtReception& operator=(const FdtReception&) = delete;

    // A packet of TOI 0. Answers a body when it completes one that was not known. An instance is repeated
    // every second or so: its repetitions are compared with what is known, not assembled again.
    [[nodiscard]] std::optional<FdtBody> OnPacket(const LctPacket& packet, const Now& now);
    // Half an instance that nobody goes on sending must not hold its share of the memory for good.
    void OnTimer(const Now& now);
    // The body could not be used now: its next repetition is to count as new.
    void Forget(uint32_t instanceId);

 private:
    struct Known {
        uint32_t instanceId = 0;
        TransmissionInformation information;
        Partition partition;
        uint8_t contentEncoding = 0;
        std::vector<uint8_t> body;
    };
    struct Incoming {
        Incoming(RepairWorkshop& workshop, uint32_t id, const TransmissionInformation& info,
                 const Partition& parts)
            : instanceId(id),
              information(info),
              partition(parts),
              store(info.transferLength),
              map(parts.symbols()),
              assembly(info.encodingId, parts, store, map, workshop, 0) {}
        uint32_t instanceId;
        TransmissionInformation information;
        Partition partition;
        int64_t lastPacketMs = 0;
        MemoryStore store;
        SymbolMap map;
        Assembly assembly;
    };

    [[nodiscard]] bool IsRepetition(const Known& known, const TransmissionInformation& information,
                                    const LctPacket& packet) const;
    [[nodiscard]] Incoming* FindIncoming(uint32_t instanceId, const TransmissionInformation& information);
    [[nodiscard]] Incoming* StartIncoming(uint32_t instanceId, const TransmissionInformation& information);
    [[nodiscard]] std::optional<FdtBody> Finish(Incoming& incoming, const LctPacket& packet);
    [[nodiscard]] bool MakeRoom(uint64_t bytes);
    void EraseIncoming(uint32_t instanceId);

    ReceiveContext& context_;
    std::list<Known> known_;                         // oldest first
    std::list<std::unique_ptr<Incoming>> incoming_;  // oldest first
};

}  // namespace streamverse::flute
