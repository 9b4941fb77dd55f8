--- A module for specs: a function for neap.work.
return { add = function(a, b) return a + b end }
