// Packets as they leave: header bytes, payload ids, coding, and sources that misbehave.
#include "flute/src/send_job.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "flute/src/lct_packet.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse;
using namespace streamverse::flute;

SendJob Job(size_t bytes, FecParameters fec) {
    SendJob job;
    job.destination = packet::ParseAddress("239.1.1.1", 5000);
    job.fields.tsi = 1;
    job.fields.toi = 7;
    job.fields.fec = fec;
    std::mt19937 random(1);
    job.bytes.resize(bytes);
    std::ranges::generate(job.bytes, [&] { return static_cast<uint8_t>(random()); });
    return job;
}

using Datagrams = std::vector<std::vector<uint8_t>>;

Datagrams SendAll(Transmission& transmission, size_t bytesMax = 20'000) {
    Datagrams datagrams;
    for (bool last = false; !last;) {
        const SendRun part = transmission.Next(bytesMax);
        last = part.last;
        size_t offset = 0;
        for (size_t index = 0; index < part.packets; ++index) {
            const size_t size = std::min(part.run.segmentBytes, part.run.length - offset);
            datagrams.emplace_back(part.run.bytes + offset, part.run.bytes + offset + size);
            offset += size;
        }
        CHECK(offset == part.run.length);
    }
    CHECK(datagrams.size() == transmission.packetsTotal());
    return datagrams;
}

Datagrams SendAll(SendJob job) {
    SendMemory memory;
    fec::ReedSolomonCache codes;
    Transmission transmission(std::move(job), memory, codes);
    return SendAll(transmission);
}

std::string CodeOf(SendJob job) {
    try {
        SendAll(std::move(job));
    } catch (const JobError& error) {
        return error.code();
    }
    return "";
}

void HeaderHasTheFormOfTheRfc() {
    SendJob job = Job(5, {.encodingId = 0, .symbolBytes = 4, .sourceBlockSymbolsMax = 10});
    job.fields.widthBits = 16;
    job.fields.toi = 0;
    job.fields.fdt = PacketFields::Fdt{.instanceId = 0xABCDE, .version = 1};
    job.fields.contentEncoding = ContentEncoding::kGzip;
    job.closeSession = true;
    const auto bytes = job.bytes;
    const Datagrams sent = SendAll(std::move(job));
    CHECK(sent.size() == 2);
    const std::vector<uint8_t> head{0x10, 0x10, 9,    0,    0, 0, 0, 0, 0, 1, 0, 0,  // LCT, CCI, TSI 1, TOI 0
                                    192,  0x1A, 0xBC, 0xDE,                          // EXT_FDT, V = 1
                                    64,   4,    0,    0,    0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 10,  // EXT_FTI
                                    193,  3,    0,    0,                                          // EXT_CENC
                                    0,    0,    0,    0};                                         // SBN, ESI
    CHECK(std::equal(head.begin(), head.end(), sent[0].begin()));
    CHECK(std::equal(bytes.begin(), bytes.begin() + 4, sent[0].end() - 4));
    CHECK(sent[1].size() == head.size() + 1 && sent[1].back() == bytes[4]);
    CHECK(sent[1][1] == 0x12);  // A on the last packet only
    CHECK(sent[1][head.size() - 1] == 1);
}

void AllWidthsParseBack() {
    for (const unsigned width : {16U, 32U, 48U}) {
        const uint64_t most = (uint64_t{1} << width) - 1;
        SendJob job = Job(
            3000,
            {.encodingId = 5, .symbolBytes = 100, .sourceBlockSymbolsMax = 20, .repairSymbolsPerBlock = 5});
        job.fields.widthBits = width;
        job.fields.tsi = most - 1;
        job.fields.toi = most;
        job.fields.fti = true;
        job.fields.senderTime = true;
        job.closeObject = true;
        const Datagrams sent = SendAll(std::move(job));
        for (const auto& datagram : sent) {
            LctPacket packet;
            CHECK(ParseLct(datagram, packet));
            CHECK(packet.tsi == most - 1 && packet.codepoint == 5 && !packet.fdt);
            CHECK(packet.closeObject == (&datagram == &sent.back()) && !packet.closeSession);
            CHECK(packet.senderTimeMs && *packet.senderTimeMs > 1'700'000'000'000);
            const auto information = ParseFti(5, packet.fti);
            CHECK(information && information->transferLength == 3000 && information->symbolBytes == 100 &&
                  information->blockSymbolsMax == 20);
        }
    }
}

// Any k of a block's packets give the block back, also where the last symbol is short.
void RepairPacketsRepair() {
    const FecParameters fec{
        .encodingId = 5, .symbolBytes = 64, .sourceBlockSymbolsMax = 10, .repairSymbolsPerBlock = 4};
    const SendJob job = Job(64 * 43 + 5, fec);  // 44 symbols, 5 blocks of 9, 9, 9, 9 and 8
    const auto bytes = job.bytes;
    const Datagrams sent = SendAll(job);
    CHECK(sent.size() == 44 + 4 * 5);
    const auto partition = Partition::Of({5, bytes.size(), 64, 10});
    std::map<uint32_t, std::map<uint32_t, std::vector<uint8_t>>> blocks;
    for (const auto& datagram : sent) {
        LctPacket packet;
        CHECK(ParseLct(datagram, packet));
        const PayloadId id = ReadPayloadId(5, packet.payload);
        auto& symbol = blocks[id.block][id.symbol];
        symbol.assign(packet.payload.begin() + kPayloadIdBytes, packet.payload.end());
        symbol.resize(64);
    }
    for (const auto& [number, symbols] : blocks) {
        const unsigned k = partition->BlockSymbols(number);
        CHECK(symbols.size() == k + 4);
        const fec::ReedSolomon code(k, k + 4);
        std::vector<const uint8_t*> source(k);
        std::vector<fec::RepairSymbol> repair;
        for (unsigned esi = 4; esi < k + 4; ++esi) {
            (esi < k ? source[esi] = symbols.at(esi).data()
                     : (repair.push_back({esi, symbols.at(esi).data()}), nullptr));
        }
        std::vector<std::vector<uint8_t>> out(4, std::vector<uint8_t>(64));
        uint8_t* outputs[4] = {out[0].data(), out[1].data(), out[2].data(), out[3].data()};
        fec::Workspace workspace;
        CHECK(code.Recover(64, source.data(), repair, outputs, workspace));
        for (unsigned esi = 0; esi < 4; ++esi) {
            CHECK(out[esi] == symbols.at(esi));
            const size_t at = (partition->FirstSymbol(number) + esi) * 64;
            CHECK(std::equal(out[esi].begin(), out[esi].end(),
                             bytes.begin() + static_cast<std::ptrdiff_t>(at)));
        }
    }
}

void UncodedBytesComeInOrder() {
    for (const size_t size : {1UL, 99UL, 100UL, 101UL, 20'000UL, 20'077UL}) {
        const SendJob job = Job(size, {.encodingId = 0, .symbolBytes = 100, .sourceBlockSymbolsMax = 150});
        std::vector<uint8_t> joined;
        for (const auto& datagram : SendAll(job)) {
            LctPacket packet;
            CHECK(ParseLct(datagram, packet));
            joined.insert(joined.end(), packet.payload.begin() + kPayloadIdBytes, packet.payload.end());
        }
        CHECK(joined == job.bytes);
    }
    SendMemory memory;
    fec::ReedSolomonCache codes;
    CHECK(Transmission(Job(0, {.symbolBytes = 100, .sourceBlockSymbolsMax = 1}), memory, codes).done());
}

void BadSourcesAreCoded() {
    const FecParameters fec{.encodingId = 0, .symbolBytes = 100, .sourceBlockSymbolsMax = 10};
    SendJob job = Job(0, fec);
    job.path = "/nonexistent/file";
    CHECK(CodeOf(job) == "NATIVE_FLUTE_SOURCE");
    job.path = "/tmp";
    CHECK(CodeOf(job) == "NATIVE_FLUTE_SOURCE");
    char name[] = "/tmp/send-job-test-XXXXXX";
    const packet::Descriptor file(::mkstemp(name));
    CHECK(::ftruncate(file.get(), 100'000) == 0);
    job.path = name;
    job.sizeBytes = 99'999;
    CHECK(CodeOf(job) == "NATIVE_FLUTE_SOURCE_CHANGED");
    job.sizeBytes = 100'000;
    CHECK(CodeOf(job).empty());
    SendMemory memory;
    fec::ReedSolomonCache codes;
    Transmission transmission(job, memory, codes);
    transmission.Next(1000);
    CHECK(::ftruncate(file.get(), 50'000) == 0);
    bool shrunk = false;
    try {
        SendAll(transmission);
    } catch (const JobError& error) {
        shrunk = std::string(error.code()) == "NATIVE_FLUTE_SOURCE_CHANGED";
    }
    CHECK(shrunk);
    // 65537 blocks of one byte: SBN has 16 bits.
    CHECK(::ftruncate(file.get(), 65'537) == 0);
    job.sizeBytes.reset();
    job.fields.fec = {.encodingId = 0, .symbolBytes = 1, .sourceBlockSymbolsMax = 1};
    CHECK(CodeOf(job) == "NATIVE_FLUTE_GEOMETRY");
    ::unlink(name);
}

}  // namespace

int main() {
    HeaderHasTheFormOfTheRfc();
    AllWidthsParseBack();
    RepairPacketsRepair();
    UncodedBytesComeInOrder();
    BadSourcesAreCoded();
    return 0;
}
