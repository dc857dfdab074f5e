// A transport stream of constant rate: tables when they are due, IP where it waits, null packets else.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "link/src/link_rate.hpp"
#include "link/src/packetizer.hpp"
#include "link/src/program_tables.hpp"

namespace streamverse::link {

class TransportMultiplex {
 public:
    // `rate` of the stream's packets, by which the tables' repetition and the TDT's time go. Throws
    // std::invalid_argument.
    TransportMultiplex(const TransportStream& stream, Encapsulation encapsulation, const LinkRate& rate,
                       size_t queueBytesMax, int64_t startUtcMs);

    // A datagram with an outline, of that length, to a service (0: the first). False when there is no room.
    bool Push(uint16_t serviceId, Bytes datagram);
    // Whether the service is there and its encapsulation takes so long a datagram.
    bool Takes(uint16_t serviceId, size_t ipBytes) const;
    size_t queuedBytes() const;

    void WritePacket(uint8_t* packet);

    const LayerTotals& totals() const { return totals_; }

 private:
    // Of sections that are sent again and again; one section is cut into as many packets as it needs.
    struct Repeated {
        Table table;
        uint64_t everyPackets;
        uint64_t due = 0;  // number of the packet
    };

    const LinkRate rate_;
    const int64_t startUtcMs_;
    std::vector<Repeated> tables_;
    uint64_t tdtEveryPackets_;
    uint64_t tdtDue_ = 0;
    uint64_t nextDue_ = 0;  // of any table
    std::vector<uint16_t> serviceIds_;
    std::vector<std::unique_ptr<Packetizer>> packetizers_;
    size_t turn_ = 0;
    uint64_t packets_ = 0;
    // The table that is being sent.
    std::vector<uint8_t> section_;
    uint16_t sectionPid_ = 0;
    size_t sectionSent_ = 0;
    std::vector<std::pair<uint16_t, uint8_t>> continuities_;
    LayerTotals totals_;

    uint64_t PacketsIn(uint64_t ms) const;
    bool ChooseTable();
    void Begin(const Table& table);
    void WriteTablePacket(uint8_t* packet);
    Packetizer* NextPacketizer();
    uint8_t& ContinuityOf(uint16_t pid);
    size_t IndexOf(uint16_t serviceId) const;
};

}  // namespace streamverse::link
