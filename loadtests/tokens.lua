-- Asks with tokens in rotation: the first `known` of the file again and again, and every `every`th request with one of
-- the rest, which nobody has seen. What is set here is replaced: tokens.lua FILE KNOWN EVERY (0: never).
local known, rest, asked, fresh, every = {}, {}, 0, 0, 0

function init(arguments)
  local count = tonumber(arguments[2])
  every = tonumber(arguments[3])
  for line in io.lines(arguments[1]) do
    local into = #known < count and known or rest
    into[#into + 1] = wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. line })
  end
end

function request()
  asked = asked + 1
  if every > 0 and asked % every == 0 then
    fresh = fresh % #rest + 1
    return rest[fresh]
  end
  return known[asked % #known + 1]
end
