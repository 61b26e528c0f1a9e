"""What Valkey does in one step: scripts in its own language. They are the only ones to write messages and people.

A room's messages are a stream. An entry's id is "<epoch>-<number>": the number is the message's id for people, counts
up by one and is given out by the stream itself; the epoch is the time at which the stream was made. A stream that was
lost therefore comes back with a later epoch, and whoever follows it from their last id sees that by themselves.
"""

# Ends in a function `last` that every script below may use.
_LAST = """
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Numbers of this size would be written as 1.76e+12.
local function id(epoch, number)
  return string.format('%.0f-%.0f', epoch, number)
end

local function split(text)
  local epoch, number = string.match(text, '^(%d+)-(%d+)$')
  return tonumber(epoch), tonumber(number)
end

-- An empty stream with an epoch.
local function begin(stream, epoch)
  redis.call('XADD', stream, id(epoch, 0), 'm', '')
  redis.call('XDEL', stream, id(epoch, 0))
end

-- Epoch and number of a room's last message. A room without a stream gets one.
local function last(stream)
  if redis.call('EXISTS', stream) == 0 then begin(stream, now()) end
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return split(info[i + 1]) end
  end
end

-- The room is in use: neither it nor its place in the list of rooms goes away for the next ttl ms.
local function keep(rooms, room, ttl, ...)
  redis.call('ZADD', rooms, now(), room)
  for _, key in ipairs({...}) do redis.call('PEXPIRE', key, ttl) end
end
"""

# KEYS: stream, rooms. ARGV: room, ttl of a room, messages kept, the message. Returns nothing.
APPEND = (
    _LAST
    + """
local epoch = last(KEYS[1])
redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[3], string.format('%.0f-*', epoch), 'm', ARGV[4])
keep(KEYS[2], ARGV[1], ARGV[2], KEYS[1])
"""
)

# KEYS: stream, rooms. ARGV: room, ttl of a room, how many rooms there may be (0: make none).
# Returns the id of the last message and the entries; nil: no such room, and none was made.
READ = (
    _LAST
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now() - ARGV[2])
  if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return nil end
end
local epoch, number = last(KEYS[1])
if tonumber(ARGV[3]) > 0 then keep(KEYS[2], ARGV[1], ARGV[2], KEYS[1]) end
return {id(epoch, number), redis.call('XRANGE', KEYS[1], '-', '+')}
"""
)

# KEYS: stream, rooms, people, news. ARGV: room, ttl of a room, replica, its nicknames in the room as JSON, ttl of a
# replica, 1 to forget replicas beyond that, 1 to spread the news in any case, the last id that the replica has seen.
# Returns the id of the last message, and the nicknames of each other replica.
SHARE = (
    _LAST
    + """
local epoch, number = last(KEYS[1])
local known_epoch, known_number = split(ARGV[8])
if epoch == known_epoch and number < known_number then
  -- The store went back to an older state: ids that people have seen are about to be given out again.
  local kept = redis.call('XRANGE', KEYS[1], '-', '+')
  epoch = math.max(now(), epoch + 1)
  redis.call('DEL', KEYS[1])
  if #kept == 0 then begin(KEYS[1], epoch); number = 0 end
  for _, entry in ipairs(kept) do
    local _, same = split(entry[1])
    redis.call('XADD', KEYS[1], id(epoch, same), unpack(entry[2]))
    number = same
  end
end

local before = string.match(redis.call('HGET', KEYS[3], ARGV[3]) or '0 []', '^%d+ (.*)$')
local news = ARGV[7] == '1' or before ~= ARGV[4]
if ARGV[4] == '[]' then
  redis.call('HDEL', KEYS[3], ARGV[3])
else
  redis.call('HSET', KEYS[3], ARGV[3], string.format('%.0f %s', now() + ARGV[5], ARGV[4]))
end

local found = {id(epoch, number)}
local people = redis.call('HGETALL', KEYS[3])
for i = 1, #people, 2 do
  local expires, nicks = string.match(people[i + 1], '^(%d+) (.*)$')
  if ARGV[6] == '1' and tonumber(expires) < now() then
    redis.call('HDEL', KEYS[3], people[i])
    news = true
  elseif people[i] ~= ARGV[3] then
    found[#found + 1] = nicks
  end
end
if news then redis.call('XADD', KEYS[4], 'MAXLEN', '~', 1000, '*', 'room', ARGV[1], 'replica', ARGV[3]) end
keep(KEYS[2], ARGV[1], ARGV[2], KEYS[1], KEYS[3])
return found
"""
)

# KEYS: rooms. ARGV: ttl of a room, what comes before a room's name in the keys of its stream and of its people.
# Returns for each room its name, the id of its last message, and the nicknames of each replica.
LIST = (
    _LAST
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now() - ARGV[1])
local found = {}
for _, room in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if redis.call('EXISTS', ARGV[2] .. room) == 1 then
    local row = {room, id(last(ARGV[2] .. room))}
    local people = redis.call('HVALS', ARGV[3] .. room)
    for i = 1, #people do
      local expires, nicks = string.match(people[i], '^(%d+) (.*)$')
      if tonumber(expires) >= now() then row[#row + 1] = nicks end
    end
    found[#found + 1] = row
  end
end
return found
"""
)
