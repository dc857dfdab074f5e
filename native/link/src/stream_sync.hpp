// Finds the units of a stream of bytes, TS packets or BBFRAMEs of one size, and finds them again when it is
// out of step.
#pragma once

#include <vector>

#include "link/src/damage.hpp"

namespace streamverse::link {

// Units, in order.
class UnitListener {
 public:
    virtual ~UnitListener() = default;
    virtual void OnPacket(Bytes packet) = 0;
    virtual void OnFrame(Bytes frame) = 0;
    // Units may be missing.
    virtual void OnGap() = 0;
};

enum class Carrier : uint8_t { kUnknown, kTransport, kFrames };

class StreamSync {
 public:
    // `frameBytes` of BBFRAMEs where it is known, else 0: then packets or frames are looked for.
    StreamSync(ReceiveContext& context, UnitListener& listener, size_t frameBytes)
        : context_(context), listener_(listener), knownFrameBytes_(frameBytes) {}

    void Write(Bytes bytes);

    Carrier carrier() const { return carrier_; }

 private:
    ReceiveContext& context_;
    UnitListener& listener_;
    const size_t knownFrameBytes_;
    Carrier carrier_ = Carrier::kUnknown;
    size_t unitBytes_ = 0;  // 0: out of step
    std::vector<uint8_t> waiting_;

    bool IsUnit(const uint8_t* at) const;
    size_t ReadUnits(Bytes bytes);
    void Give(Bytes unit);
    bool Find();
    bool FindPackets(size_t from);
    bool FindFrames(size_t from);
    void Forget(size_t count);
};

}  // namespace streamverse::link
