// Where the symbols of an object land: a preallocated file, or memory for an FDT instance.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <vector>

namespace streamverse::flute {

class SymbolStore {
 public:
    SymbolStore() = default;
    SymbolStore(const SymbolStore&) = delete;
    SymbolStore& operator=(const SymbolStore&) = delete;
    virtual ~SymbolStore() = default;
    // Each answers 0 or the errno of the failure; `parts` may be changed.
    [[nodiscard]] virtual int Write(uint64_t offset, std::span<iovec> parts) = 0;
    [[nodiscard]] virtual int Read(uint64_t offset, std::span<uint8_t> bytes) = 0;
};

class MemoryStore final : public SymbolStore {
 public:
    explicit MemoryStore(size_t size) : bytes_(size) {}
    int Write(uint64_t offset, std::span<iovec> parts) override;
    int Read(uint64_t offset, std::span<uint8_t> bytes) override;
    [[nodiscard]] std::span<const uint8_t> bytes() const { return bytes_; }

 private:
    std::vector<uint8_t> bytes_;
};

class FileStore;

// Keeps at most `filesMax` descriptors open, however many objects are; the least recently used one is closed.
class FileCache {
 public:
    explicit FileCache(size_t filesMax) : filesMax_(filesMax) {}
    void Touch(FileStore& store);
    void Forget(FileStore& store);

 private:
    size_t filesMax_;
    std::list<FileStore*> files_;
};

class FileStore final : public SymbolStore {
 public:
    FileStore(FileCache& cache, std::string path) : cache_(cache), path_(std::move(path)) {}
    ~FileStore() override { Close(); }

    // Makes the file with all its room, or answers the errno and leaves none.
    [[nodiscard]] int Create(uint64_t size);
    int Write(uint64_t offset, std::span<iovec> parts) override;
    int Read(uint64_t offset, std::span<uint8_t> bytes) override;
    void Close();
    void Remove();
    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    friend class FileCache;
    [[nodiscard]] int Open();

    FileCache& cache_;
    std::string path_;
    int descriptor_ = -1;
    std::list<FileStore*>::iterator position_;
};

}  // namespace streamverse::flute
