// One object on its way: from its FDT entry through symbols and repair to a verified file, or to giving up.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "flute/src/lct_packet.hpp"
#include "flute/src/receive_context.hpp"
#include "flute/src/transmission_information.hpp"

namespace streamverse::flute {

// Who keeps an object, and puts it away when it has finished.
class ObjectOwner {
 public:
    virtual void Retire(const Toi& toi) = 0;
    // No packet for so long means that an object's transmission has ended.
    [[nodiscard]] virtual int64_t objectIdleMs() const = 0;

 protected:
    ~ObjectOwner() = default;
};

class ReceivedObject {
 public:
    ReceivedObject(ReceiveContext& context, ObjectOwner& owner, const SessionName& session,
                   std::shared_ptr<const FdtFile> file, int64_t expiresMs);
    ~ReceivedObject();
    ReceivedObject(const ReceivedObject&) = delete;
    ReceivedObject& operator=(const ReceivedObject&) = delete;

    // Tells of the object; one of no bytes, or one that cannot be taken, goes on at once.
    void Announce();
    // The packet's bytes must stay valid until Flush.
    void OnPacket(const LctPacket& packet, const Now& now);
    void OnBytes(uint64_t offset, Bytes bytes, const Now& now);
    void OnHash(const HashResult& result);
    void Flush(const Now& now);
    // Flush for whoever has taken the object off the dirty list.
    void Settle(const Now& now) {
        dirty_ = false;
        Flush(now);
    }
    void OnTimer(const Now& now);
    // The transmission is over as soon as what came of it is written.
    void MarkEnd();
    void EndTransmission();
    void GiveUp(const char* code, std::string message);

    [[nodiscard]] uint64_t id() const { return id_; }
    [[nodiscard]] const Toi& toi() const { return file_->toi; }
    [[nodiscard]] bool finished() const { return phase_ == Phase::kComplete || phase_ == Phase::kGaveUp; }
    [[nodiscard]] ObjectOwner& owner() { return owner_; }
    [[nodiscard]] bool complete() const { return phase_ == Phase::kComplete; }

 private:
    // kIncoming: the file is there and bytes are awaited. kVerifying: all bytes are there.
    enum class Phase { kWaiting, kIncoming, kVerifying, kComplete, kGaveUp };

    [[nodiscard]] bool Resolve(const LctPacket* packet);
    [[nodiscard]] bool Open();
    void TakeSymbols(const LctPacket& packet);
    void CountTaken(Taken taken, uint64_t position);
    void Activate(const Now& now);
    void MarkDirty();
    void Verify();
    void Refill();
    void Complete(const HashResult& result);
    void GiveUpForFile(int failure);
    void NewHashJob();
    void Release();
    [[nodiscard]] uint64_t MissingBytes() const;
    [[nodiscard]] std::string path() const;

    ReceiveContext& context_;
    ObjectOwner& owner_;
    const SessionName session_;
    const std::shared_ptr<const FdtFile> file_;
    const uint64_t id_;
    const int64_t expiresMs_;
    Phase phase_ = Phase::kWaiting;
    bool announced_ = false;
    bool dirty_ = false;
    bool endPending_ = false;
    bool budgeted_ = false;
    std::optional<Partition> partition_;
    uint8_t encodingId_ = 0;
    std::unique_ptr<FileStore> store_;
    std::shared_ptr<SymbolMap> map_;
    std::unique_ptr<Assembly> assembly_;
    std::shared_ptr<HashJob> hash_;
    uint64_t hashJob_ = 0;
    uint64_t hashAskedBytes_ = 0;
    unsigned digestAttempts_ = 0;
    int64_t lastPacketMs_ = 0;
    int64_t lastProgressMs_ = 0;
    uint64_t lastProgressBytes_ = 0;
    uint64_t countedRecoveredBytes_ = 0;
    uint64_t passHigh_ = 0;
    uint64_t passDuplicates_ = 0;
};

}  // namespace streamverse::flute
