-- Asks for as many paths in rotation as are said: paths.lua COUNT.
local requests, asked = {}, 0

function init(arguments)
  for number = 1, tonumber(arguments[1]) do requests[number] = wrk.format("GET", "/items/" .. number) end
end

function request()
  asked = asked % #requests + 1
  return requests[asked]
end
