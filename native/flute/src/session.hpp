// One FLUTE session: its FDT, and the objects that the FDT describes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "flute/src/fdt_reception.hpp"
#include "flute/src/received_object.hpp"
#include "flute/src/unknown_packets.hpp"

namespace streamverse::flute {

class Session final : public ObjectOwner {
 public:
    // `key` tells this session's packets apart in `unknown`.
    Session(ReceiveContext& context, UnknownPackets& unknown, SessionName name, uint64_t key,
            int64_t objectIdleMs)
        : context_(context),
          unknown_(unknown),
          name_(std::move(name)),
          key_(key),
          objectIdleMs_(objectIdleMs),
          fdt_(context) {}
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // `datagram` is what `packet` was parsed from; it must stay valid until the objects are flushed.
    void OnPacket(const LctPacket& packet, Bytes datagram, const Now& now);
    void OnTimer(const Now& now);
    void Retire(const Toi& toi) override;
    [[nodiscard]] int64_t objectIdleMs() const override { return objectIdleMs_; }
    // Nothing: the session is wanted no longer; its objects end as idle ones do.
    void SetWanted(std::optional<int64_t> objectIdleMs) {
        wanted_ = objectIdleMs.has_value();
        objectIdleMs_ = objectIdleMs.value_or(objectIdleMs_);
    }
    [[nodiscard]] bool wanted() const { return wanted_; }
    // A finished or dropped object may be received anew.
    void Forget(const Toi& toi);

    [[nodiscard]] const SessionName& name() const { return name_; }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] int64_t lastPacketMs() const { return lastPacketMs_; }

 private:
    // Ends by this box's clock, or, where the sender told its own time, by the monotonic one: the clock of a
    // box without a battery jumps by decades once it has been told the time.
    struct Life {
        int64_t unixMs = INT64_MIN;
        int64_t monotonicMs = INT64_MIN;
        [[nodiscard]] bool Over(const Now& now) const {
            return unixMs <= now.unixMs && monotonicMs <= now.monotonicMs;
        }
    };
    struct Entry {
        std::shared_ptr<const FdtFile> file;
        int64_t expiresMs = 0;  // as the FDT says it
        Life life;
        uint64_t costBytes = 0;  // taken of the context's describedBytes
        uint64_t objectId = 0;
        std::unique_ptr<ReceivedObject> object;  // absent once finished
    };

    void OnFdt(const FdtBody& body, const Now& now);
    void OnFile(FdtFile file, int64_t expiresMs, const Life& life, const Now& now);
    void Prolong(Entry& entry, int64_t expiresMs, const Life& life);
    [[nodiscard]] bool Describe(const Toi& toi, FdtFile file);
    void EraseFinished();
    void Release(const Entry& entry) const;
    void NoteExpiry(const Life& life, const Now& now);
    void Start(Entry& entry);
    void Replay(const Toi& toi, const Now& now);
    [[nodiscard]] Entry* Find(const Toi& toi);
    void CloseSession(const Now& now);

    ReceiveContext& context_;
    UnknownPackets& unknown_;
    const SessionName name_;
    const uint64_t key_;
    int64_t objectIdleMs_;
    bool wanted_ = true;
    FdtReception fdt_;
    std::unordered_map<Toi, Entry, ToiHash> entries_;
    // Packets come in runs of one object.
    Toi lastToi_;
    Entry* last_ = nullptr;
    Life nextExpiry_{INT64_MAX, INT64_MAX};
    int64_t lastCloseMs_ = INT64_MIN;
    int64_t lastPacketMs_ = 0;
};

}  // namespace streamverse::flute
