// A thread that reads a DVB device and gathers what it got until somebody takes it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "packet/src/descriptor.hpp"

namespace streamverse::dvb {

using packet::Descriptor;

struct ReadBatch {
    std::vector<uint8_t> bytes;     // one read behind the other
    std::vector<uint32_t> lengths;  // of sections only, which must not run together
};

struct ReadStats {
    uint64_t bytes = 0;
    uint64_t overruns = 0;  // the kernel's buffer was full: something is missing, how much nobody knows
    uint64_t dropped = 0;   // bytes that found our own buffer full
    uint64_t damaged = 0;   // reads that the device ended with an error and went on after
    int error = 0;          // why the thread has ended; 0 while it reads, and at the end of a file
    bool ended = false;
};

struct ReadOptions {
    std::vector<Descriptor> descriptors = {};  // the first is read, non-blocking
    bool keepLengths = false;
    size_t queueBytesMax = 0;
    size_t readBytesMax = 0;
    // For tests: read(2) of another device.
    std::function<ssize_t(int, void*, size_t)> read = {};
};

class ReadThread {
 public:
    // `onBatch` is called on the thread, without locks held, whenever a batch has begun and when the thread
    // ends. Throws DvbError NATIVE_DVB_IO.
    ReadThread(ReadOptions options, std::function<void()> onBatch);
    ~ReadThread();
    ReadThread(const ReadThread&) = delete;
    ReadThread& operator=(const ReadThread&) = delete;

    // What came since the last call. Any thread.
    ReadBatch Take();
    ReadStats Stats() const;
    // Ends the thread and closes the device. Idempotent; not on the thread itself.
    void Stop();

 private:
    void Run();
    bool ReadOnce();
    void Add(const uint8_t* bytes, size_t length);
    void End(int error);

    ReadOptions options_;
    std::function<void()> onBatch_;
    std::vector<uint8_t> buffer_;  // the thread's
    Descriptor wake_;

    mutable std::mutex mutex_;
    ReadBatch batch_;
    ReadStats stats_;
    bool stopping_ = false;

    std::mutex joinMutex_;
    std::thread thread_;
};

}  // namespace streamverse::dvb
