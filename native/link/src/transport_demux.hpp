// A transport stream's packets to the readers of their PIDs, which follow from its own tables.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "link/src/bb_frame.hpp"
#include "link/src/found_programs.hpp"
#include "link/src/section_reader.hpp"
#include "link/src/sndu_reader.hpp"

namespace streamverse::link {

inline constexpr size_t kPids = 8192;
inline constexpr size_t kReadersMax = 512;

struct Selection {
    struct Pid {
        uint16_t pid;
        Encapsulation encapsulation;
    };
    std::vector<Pid> pids;                           // that carry IP though no table says so
    std::optional<std::set<uint16_t>> serviceIds;    // all where absent
    std::optional<std::set<uint16_t>> inputStreams;  // all where absent
};

class TransportDemux final : private SectionListener {
 public:
    // Both outlive it.
    TransportDemux(ReceiveContext& context, const Selection& selection, uint16_t inputStream);

    // One packet, which begins with 0x47.
    void Read(std::span<const uint8_t, kTsPacketBytes> packet);

    // Packets are missing, nobody knows of which PIDs.
    void Drop();

    const FoundPrograms& programs() const { return programs_; }
    const std::vector<uint64_t>& packetsByPid() const { return packets_; }
    std::optional<Encapsulation> EncapsulationOf(uint16_t pid) const;

 private:
    enum class Kind : uint8_t { kTables, kMpe, kUle };
    struct Reader {
        Kind kind;
        SectionReader sections;
        SnduReader sndus;
    };
    enum class Order : uint8_t { kNext, kRepeated, kBroken };
    static constexpr uint8_t kNoContinuity = 0xFF;

    ReceiveContext& context_;
    const Selection& selection_;
    const uint16_t inputStream_;
    FoundPrograms programs_;
    MpeReader mpe_;
    std::vector<std::unique_ptr<Reader>> readers_;  // by PID
    size_t readerCount_ = 0;
    std::vector<uint64_t> packets_;      // by PID
    std::vector<uint8_t> continuities_;  // by PID
    bool isChanged_ = false;

    void OnSection(const Origin& origin, Bytes section) override;
    void Reconcile();
    Order OrderOf(std::span<const uint8_t, kTsPacketBytes> packet, uint16_t pid);
    void ReadPayload(Bytes payload, bool begins, const Origin& origin, Reader& reader);
};

}  // namespace streamverse::link
