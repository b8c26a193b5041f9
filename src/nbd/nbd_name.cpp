// SPDX-License-Identifier: GPL-2.0-or-later
#include "nbd/nbd_name.h"

#include <e2qcow/error.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <initializer_list>
#include <iterator>

namespace e2qcow::nbd {
namespace {

constexpr std::array<std::string_view, 5> kSchemes{"nbd://", "nbds://", "nbd+unix://", "nbds+unix://",
                                                   "nbd+vsock://"};
constexpr std::string_view kBegin = "[ ";
constexpr std::string_view kEnd = " ]";
constexpr std::string_view kPlain = "@%_-+=:,./";  // besides letters and digits: needs no quotes

bool needs_no_quotes(char each) {
  return std::isalnum(static_cast<unsigned char>(each)) != 0 || kPlain.find(each) != std::string_view::npos;
}

std::string quoted(const std::string& word) {
  if (!word.empty() && std::ranges::all_of(word, needs_no_quotes)) return word;
  std::string text(1, '\'');
  for (const char each : word) each == '\'' ? text.append("'\\''") : text.append(1, each);
  return text.append(1, '\'');
}

// Takes a word, as a shell would, from the front of the text.
std::string take_word(std::string_view& text) {
  std::string word;
  char quote = 0;
  std::size_t i = 0;
  for (; i < text.size() && (quote != 0 || text[i] != ' '); ++i) {
    if (quote == 0 && text[i] == '\\' && i + 1 < text.size())
      word += text[++i];
    else if (quote == 0 && (text[i] == '\'' || text[i] == '"'))
      quote = text[i];
    else if (quote != 0 && text[i] == quote)
      quote = 0;
    else
      word += text[i];
  }
  text.remove_prefix(i);
  return word;
}

std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return words;
    words.push_back(take_word(text));
  }
}

std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* digits = text.data() + i + 1;
    const bool is_escape = text[i] == '%' && i + 2 < text.size() &&
                           std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
    result += is_escape ? static_cast<char>(byte) : text[i];
    if (is_escape) i += 2;
  }
  return result;
}

// The values of the query's keys that name files.
std::vector<std::string> tls_files_in(std::string_view uri) {
  std::vector<std::string> files;
  uri.remove_prefix(std::min(uri.find('?'), uri.size()));
  while (!uri.empty()) {
    uri.remove_prefix(1);
    const std::string_view field = uri.substr(0, uri.find_first_of("&;"));
    uri.remove_prefix(field.size());
    for (const std::string_view key : {"tls-certificates=", "tls-psk-file="})
      if (field.starts_with(key)) files.push_back(decoded(field.substr(key.size())));
  }
  return files;
}

// Where the host stands in a URI, without a port.
struct Place {
  std::size_t begin;
  std::size_t length;
};
Place place_of_host(std::string_view uri) {
  std::size_t begin = uri.find("://") + 3;
  const std::size_t end = std::min(uri.find_first_of("/?#", begin), uri.size());
  const std::size_t user = std::string(uri.substr(begin, end - begin)).rfind('@');
  if (user != std::string::npos) begin += user + 1;
  const std::string_view authority = uri.substr(begin, end - begin);
  const std::size_t length = authority.starts_with('[') ? authority.find(']') : authority.find(':');
  if (authority.starts_with('[') && length != std::string_view::npos) return {begin, length + 1};
  return {begin, std::min(length, authority.size())};
}

bool is_by_host(std::string_view uri) {
  return uri.starts_with("nbd://") || uri.starts_with("nbds://");
}

}  // namespace

bool is_nbd_name(std::string_view name) {
  return name.starts_with(kBegin) ||
         std::ranges::any_of(kSchemes, [&](std::string_view scheme) { return name.starts_with(scheme); });
}

NbdName parse_nbd_name(const std::string& name) {
  NbdName parsed{.text = name, .command = {}};
  if (!name.starts_with(kBegin)) {
    parsed.has_tls = name.starts_with("nbds");
    parsed.tls_files = tls_files_in(name);
    const auto [begin, length] = place_of_host(name);
    if (is_by_host(name)) parsed.host = name.substr(begin, length);
    return parsed;
  }
  if (!name.ends_with(kEnd)) fail(Errc::refused, name + ": the command does not end with ' ]'");
  const std::size_t length = name.size() - std::min(name.size(), kBegin.size() + kEnd.size());
  parsed.command = words_in(std::string_view(name).substr(kBegin.size(), length));
  if (parsed.command.empty()) fail(Errc::refused, name + ": there is no command in it");
  return parsed;
}

std::string name_of_command(std::span<const std::string> words) {
  std::string text(kBegin.substr(0, 1));
  for (const std::string& word : words) text.append(1, ' ').append(quoted(word));
  return text.append(kEnd);
}

std::string with_address(const std::string& uri, const std::string& address) {
  const auto [begin, length] = place_of_host(uri);
  return uri.substr(0, begin) + address + uri.substr(begin + length);
}

// Sources: nss(5), resolver(5), libnbd-security(3); the directories of certificates are those of libnbd.
std::vector<std::string> files_for_connecting(const std::string& name) {
  if (!is_nbd_name(name)) return {};
  const NbdName parsed = parse_nbd_name(name);
  if (!parsed.has_tls) return {};
  std::vector<std::string> files{"/etc/hosts",     "/etc/resolv.conf", "/etc/nsswitch.conf",
                                 "/etc/host.conf", "/etc/gai.conf",    "/etc/services",
                                 "/etc/ssl/certs", "/etc/pki/libnbd",  "/etc/libnbd"};
  if (const char* home = std::getenv("HOME"))  // NOLINT(concurrency-mt-unsafe): nothing changes it
    for (const char* directory : {"/.pki/libnbd", "/.config/pki/libnbd"})
      files.push_back(std::string(home) + directory);
  std::ranges::copy(parsed.tls_files, std::back_inserter(files));
  return files;
}

bool is_same_disk(const std::string& a, const std::string& b) {
  return is_nbd_name(a) && a == b;
}

}  // namespace e2qcow::nbd
