// One object's transmission: reads the source block by block, codes it, and hands out runs of ready packets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fec/src/reed_solomon.hpp"
#include "flute/src/send_packet.hpp"
#include "flute/src/transmission_information.hpp"
#include "packet/src/descriptor.hpp"
#include "packet/src/endpoint.hpp"
#include "packet/src/udp_sender.hpp"

namespace streamverse::flute {

using JobId = uint64_t;

// A job that cannot go on. `code` is one of NATIVE_FLUTE_… or NATIVE_PACKET_….
class JobError : public std::runtime_error {
 public:
    JobError(const char* code, const std::string& what) : std::runtime_error(what), code_(code) {}
    const char* code() const { return code_; }

 private:
    const char* code_;
};

struct SendJob {
    JobId id = 0;
    packet::SocketAddress destination;
    PacketFields fields;  // transferLength is filled in when the job starts
    std::string path;     // a file, or, when empty, `bytes`
    std::vector<uint8_t> bytes;
    std::optional<uint64_t> sizeBytes;  // what a file must measure when its job starts
    bool closeObject = false;
    bool closeSession = false;
};

// Memory of one lane, reused by its jobs: grows to the largest block that the lane has sent.
struct SendMemory {
    std::vector<uint8_t> packets;
    std::vector<const uint8_t*> source;
    std::vector<uint8_t*> repair;
};

// A run of packets, and whether the transmission ends with it.
struct SendRun {
    packet::Run run;
    size_t packets;
    bool last;
};

class Transmission {
 public:
    // Opens the source. Throws JobError.
    Transmission(SendJob job, SendMemory& memory, fec::ReedSolomonCache& codes);

    const SendJob& job() const { return job_; }
    uint64_t packetsTotal() const { return packetsTotal_; }
    uint64_t payloadBytesTotal() const { return payloadBytesTotal_; }
    bool done() const { return packetsTotal_ == 0; }

    // The next packets: equally long, save that the last may be shorter; at most bytesMax, each counted with
    // overheadBytes, but at least one packet. Valid until the next call. Not to be called after a run that
    // was the last. Throws JobError.
    SendRun Next(size_t bytesMax, size_t overheadBytes = 0);

 private:
    void OpenFile();
    void CheckGeometry() const;
    void Count();
    uint32_t RepairCount(uint64_t block) const;
    void Load();
    void Read(uint64_t offset, size_t length, size_t slots);
    void Code(uint32_t sourceCount, uint32_t repairCount, size_t bytes);
    uint8_t* Slot(size_t index) { return memory_.packets.data() + index * stride_; }

    SendJob job_;
    SendMemory& memory_;
    fec::ReedSolomonCache& codes_;
    packet::Descriptor file_;
    PacketHeader header_;
    size_t stride_ = 0;  // bytes of a whole packet
    std::optional<Partition> partition_;
    uint64_t packetsTotal_ = 0;
    uint64_t payloadBytesTotal_ = 0;
    // Where the next Load goes on.
    uint64_t block_ = 0;
    uint32_t symbol_ = 0;
    // What is loaded.
    size_t slots_ = 0;
    size_t next_ = 0;
    size_t shortSlot_ = SIZE_MAX;
    size_t shortBytes_ = 0;
};

}  // namespace streamverse::flute
