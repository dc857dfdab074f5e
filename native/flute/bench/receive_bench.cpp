// FLUTE packets over loopback multicast: first to a bare recvmmsg drain without GRO, then to the whole
// receiver that leaves verified files on tmpfs. The sender waits for whoever receives, so that neither has to
// lose a packet. Prints one JSON object.
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "flute/bench/packet_blaster.hpp"
#include "flute/src/receiver_thread.hpp"

namespace {

using namespace streamverse;
using namespace streamverse::flute;

constexpr int kReceiveBufferBytes = 16 << 20;
constexpr int kWaitMsMax = 60'000;
constexpr int kPasses = 6;

double CpuSeconds(int who) {
    rusage usage{};
    getrusage(who, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double ResidentMebibytes() {
    std::ifstream file("/proc/self/statm");
    double total = 0;
    double resident = 0;
    file >> total >> resident;
    return resident * 4096 / 1048576;
}

struct Figures {
    double seconds = 0;
    double cpuSeconds = 0;
    double residentGrowthMebibytes = 0;
    double residentMebibytes = 0;  // the most at any time
    uint64_t packets = 0;
    uint64_t kernelDrops = 0;
    uint64_t objects = 0;
};

// Runs the blaster against a receiver that is ready; `received` counts its packets, `done` says when it has
// all.
Figures Measure(const Blaster& blaster, uint16_t port, const std::function<uint64_t()>& received,
                const std::function<bool()>& done) {
    Figures figures;
    const double residentBefore = ResidentMebibytes();
    const double cpuBefore = CpuSeconds(RUSAGE_SELF);
    const auto begin = std::chrono::steady_clock::now();
    double senderCpu = 0;
    std::thread sender([&] {
        const double before = CpuSeconds(RUSAGE_THREAD);
        blaster.Send(port, received);
        senderCpu = CpuSeconds(RUSAGE_THREAD) - before;
    });
    double residentMax = residentBefore;
    for (int waitedMs = 0; waitedMs < kWaitMsMax && !done(); ++waitedMs) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (waitedMs % 20 == 0) {
            residentMax = std::max(residentMax, ResidentMebibytes());
        }
    }
    figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    sender.join();
    figures.cpuSeconds = CpuSeconds(RUSAGE_SELF) - cpuBefore - senderCpu;
    figures.residentGrowthMebibytes = residentMax - residentBefore;
    figures.residentMebibytes = residentMax;
    figures.packets = received();
    return figures;
}

Figures MeasureDrain(const Blaster& blaster, uint16_t port) {
    packet::ReceiverOptions options;
    options.receiveBufferBytes = kReceiveBufferBytes;
    packet::UdpReceiver sockets(options);
    static_cast<void>(sockets.Join({kGroup, port, "", "127.0.0.1"}));
    std::atomic<uint64_t> packets{0};
    std::atomic<bool> stopping{false};
    std::thread drain([&] {
        while (!stopping) {
            static_cast<void>(sockets.Receive(10));
            packets.store(sockets.counters().datagrams, std::memory_order_relaxed);
        }
    });
    Figures figures = Measure(
        blaster, port, [&] { return packets.load(std::memory_order_relaxed); },
        [&] { return packets >= blaster.packets(); });
    stopping = true;
    drain.join();
    figures.kernelDrops = sockets.counters().kernelDrops;
    return figures;
}

// Receives everything `passes` times with one receiver, as a carousel's next turns after a `forget` are; the
// files of a pass go before the next one, outside of what is measured.
std::vector<Figures> MeasureReceiver(const Blaster& blaster, uint16_t port, const std::string& directory,
                                     int passes) {
    ReceiveSettings settings;
    settings.directory = directory;
    std::atomic<bool> ready{false};
    ReceiverThread receiver(settings, kReceiveBufferBytes, [&] { ready = true; });
    receiver.Join({{kGroup, port, "", "127.0.0.1"}, {}, std::nullopt});
    std::vector<Figures> all;
    for (int pass = 0; pass < passes; ++pass) {
        uint64_t complete = 0;
        const ReceiveStats before = receiver.stats();
        Figures figures = Measure(
            blaster, port, [&] { return receiver.stats().packets - before.packets; },
            [&] {
                if (ready.exchange(false)) {
                    for (const ReceiveEvent& event : receiver.TakeEvents()) {
                        if (const auto* whole = std::get_if<CompleteEvent>(&event)) {
                            ++complete;
                            std::filesystem::remove(whole->path);
                        }
                    }
                }
                return complete == blaster.objects();
            });
        figures.kernelDrops = receiver.stats().kernelDrops - before.kernelDrops;
        figures.objects = complete;
        all.push_back(figures);
        for (uint64_t toi = 1; toi <= blaster.objects(); ++toi) {
            receiver.Forget(kGroup, port, 1, {0, toi});
        }
    }
    return all;
}

const Figures& Faster(const Figures& one, const Figures& other) {
    return one.seconds < other.seconds ? one : other;
}

void Print(const char* name, const Figures& figures, uint64_t payloadBytes, const char* end) {
    const double gigabits = static_cast<double>(payloadBytes) * 8 / 1e9;
    std::printf(
        "\"%s\":{\"gbps\":%.3f,\"cpuSecondsPerGbit\":%.4f,\"packets\":%llu,\"kernelDrops\":%llu,"
        "\"objects\":%llu,\"residentGrowthMebibytes\":%.1f}%s",
        name, gigabits / figures.seconds, figures.cpuSeconds / gigabits,
        static_cast<unsigned long long>(figures.packets),
        static_cast<unsigned long long>(figures.kernelDrops),
        static_cast<unsigned long long>(figures.objects), figures.residentGrowthMebibytes, end);
}

}  // namespace

// receive_bench <directory> <port> <objects> <object MiB>
int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "receive_bench <directory> <port> <objects> <object MiB>\n");
        return 2;
    }
    const auto port = static_cast<uint16_t>(std::stoul(argv[2]));
    const Blaster blaster(std::stoul(argv[3]), std::stoul(argv[4]) << 20);
    // Each is measured twice, in turn, so that one disturbance does not decide.
    const Figures drain = MeasureDrain(blaster, port);
    const Figures receiver = MeasureReceiver(blaster, port, argv[1], 1)[0];
    const Figures drainAgain = MeasureDrain(blaster, port);
    const Figures receiverAgain = MeasureReceiver(blaster, port, argv[1], 1)[0];
    // What grows with the traffic shows in the later passes of one receiver.
    const std::vector<Figures> turns = MeasureReceiver(blaster, port, argv[1], kPasses);
    uint64_t turnObjects = 0;
    uint64_t turnDrops = 0;
    for (const Figures& turn : turns) {
        turnObjects += turn.objects;
        turnDrops += turn.kernelDrops;
    }
    const double growth = turns.back().residentMebibytes - turns.front().residentMebibytes;
    std::printf("{\"packets\":%llu,\"objects\":%llu,", static_cast<unsigned long long>(blaster.packets()),
                static_cast<unsigned long long>(blaster.objects()));
    std::printf(
        "\"long\":{\"passes\":%d,\"objects\":%llu,\"kernelDrops\":%llu,\"gigabits\":%.1f,"
        "\"residentGrowthMebibytes\":%.1f},",
        kPasses, static_cast<unsigned long long>(turnObjects), static_cast<unsigned long long>(turnDrops),
        static_cast<double>(blaster.payloadBytes()) * 8 / 1e9 * kPasses, growth);
    Print("drain", Faster(drain, drainAgain), blaster.payloadBytes(), ",");
    Print("receiver", Faster(receiver, receiverAgain), blaster.payloadBytes(), "}\n");
    return 0;
}
